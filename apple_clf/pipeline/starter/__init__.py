"""A first experiment for a folder of images, written after a look at it.

`look` opens a sample of the images, `recipe` chooses what fits them, `text` writes it as YAML.
"""

from apple_clf.pipeline.starter.text import starter_text

__all__ = ["starter_text"]
