"""Makes TensorFlow absent where this folder comes first on the path.

Keras imports it on every backend where it is installed, which takes seconds for each process.
"""

raise ImportError("TensorFlow is made absent for this test")
