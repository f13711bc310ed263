"""All that knows which backend runs. One module per backend for its train step and convolutions."""
