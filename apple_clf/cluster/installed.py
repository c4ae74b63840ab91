"""Sweeps and predictions on the machines of a Ray cluster.

Ray starts processes, says which of them died, and carries what passes between them. All that must
outlive them lies in files on storage that every machine sees: a training goes on from its
checkpoint, and a shard of answers stands whole or not at all. Nothing rests on Ray's own memory.
"""

from importlib.util import find_spec

from apple_clf.errors import MissingExtraError


def check_installed(*packages: str) -> None:
    """Nothing, if the packages are there; none of them is imported.

    Raises:
        MissingExtraError: one is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtraError(
                f"--ray needs {package}, which is not installed: pip install 'apple-clf[ray]'"
            )
