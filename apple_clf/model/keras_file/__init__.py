""".keras files -> Keras models, with every part checked before Keras sees it."""
