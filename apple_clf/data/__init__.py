"""Data sources -> Dataset: prepared uint8 pixels, labels and splits, the same for a seed."""

from apple_clf.data.datasets import SPLITS, Dataset, Split, load_dataset, load_labelled_folder

__all__ = ["SPLITS", "Dataset", "Split", "load_dataset", "load_labelled_folder"]
