"""Folder of the pretrained models that a wheel ships, as `keras_cvae.saved_models`."""
