"""Public data sets -> folders of images with their licence, downloaded once."""

from apple_clf.data.fetching.fetched import (
    fetch,
    fetch_command,
    fetched_folder,
    image_counts,
    is_fetched,
    licence,
    train_command,
)

__all__ = [
    "fetch",
    "fetch_command",
    "fetched_folder",
    "image_counts",
    "is_fetched",
    "licence",
    "train_command",
]
