"""A finished run, or a bundle of one -> answers, without TensorFlow."""
