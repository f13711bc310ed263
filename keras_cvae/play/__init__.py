"""A page on which a model can be played with: served, or as one file."""
