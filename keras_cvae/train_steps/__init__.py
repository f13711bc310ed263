"""`train_step` and `test_step` of each backend, and the choice between them."""

import keras


def backend_steps():
    """The class with the steps of the backend that Keras runs on.

    Returns:
        A mixin with `train_step` and `test_step`, to stand before `keras.Model`. It calls
        `negative_elbo(inputs, training)`, `update_metrics(loss, terms, batch_size)` and
        `unpack_batch(data)` of the model.

    Raises:
        ValueError: for a backend other than torch, tensorflow and jax.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        from keras_cvae.train_steps.torch import TorchSteps

        return TorchSteps
    if backend == "tensorflow":
        from keras_cvae.train_steps.tensorflow import TensorFlowSteps

        return TensorFlowSteps
    if backend == "jax":
        from keras_cvae.train_steps.jax import JaxSteps

        return JaxSteps
    raise ValueError(
        f"keras_cvae trains on the Keras backends torch, tensorflow and jax; got {backend!r}. "
        "Set KERAS_BACKEND to one of them before Keras is imported."
    )
