"""A network's layers computed by NumPy, for a server without TensorFlow."""
