"""What turns a network's outputs into an answer: temperature, threshold, and when to be unsure.

All three are fitted once, after the training, to images that the weights were not fitted to.
"""
