"""All that depends on the backend. Its train step and convolutions are one module per backend."""
