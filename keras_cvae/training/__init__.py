"""A training run: settings and flags, the model, `fit`, results, and a study of several runs."""
