"""A page to play with a model: drag the joints of a skeleton, and the predicted frame follows."""
