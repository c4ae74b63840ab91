"""Public data sets -> folders of images with their licence, downloaded once.

The folder of a request appears whole, in one rename, or not at all; what was downloaded for it is
kept in the cache, so a fetch that was stopped goes on. A manifest in the folder says what it was
made of. Nothing is downloaded unless a command or an experiment asks for it.
"""

import difflib
import json
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, assert_never

from PIL import Image

from apple_clf.arrays import UInt8Array
from apple_clf.config.schema import Cifar100Data, FetchedData, QuickDrawData
from apple_clf.data.fetching import cifar100, quickdraw, quickdraw_names
from apple_clf.data.fetching.downloads import Downloads, FileProgress, alone_in
from apple_clf.data.fetching.transfer import UnreachableError
from apple_clf.errors import DataError
from apple_clf.io.files import cannot_write, printable, write_whole
from apple_clf.io.large_arrays import cache_folder

MANIFEST = "fetched.json"
LICENCE = "LICENCE.txt"

_REQUEST = ("source", "classes", "per_class", "one_vs_rest", "form", "size", "drawings")
"""Keys that decide which images there are; a source may lack some."""


def fetched_folder(config: FetchedData) -> Path:
    """The folder of images that was fetched for these data.

    Raises:
        DataError: it was not fetched yet, or the folder holds something else.
    """
    folder = _place(config)
    if not is_fetched(config):
        _check_free(folder)
        raise DataError(
            f"data.source {config.source}: not fetched yet. Run: {fetch_command(config)}"
        )
    return folder


def is_fetched(config: FetchedData) -> bool:
    """Whether the folder of images is there."""
    folder = _place(config)
    return folder.is_dir() and _read_manifest(folder).get("request") == _request(config)


def fetch(
    config: FetchedData, *, on_progress: FileProgress = lambda name, done, total: None
) -> Path:
    """The folder of images, fetched if it is not there.

    Args:
        config: its `path` is the folder; without one it lies in the cache.
        on_progress: called with a file's name, the bytes that came and those to come.

    Raises:
        DataError: a class is unknown, the folder holds something else, there is no network, or what
            comes is damaged.
        MissingExtraError: Pooch is not installed.
        LockedError: another process is fetching.
        FileSystemError: a folder cannot be written.
    """
    _check_names(config)
    folder = _place(config)
    if is_fetched(config):
        return folder
    _check_free(folder)
    store = cache_folder() / "downloads" / config.source
    with alone_in(store):
        try:
            _write(folder, config, Downloads(store, on_progress=on_progress))
        except UnreachableError as error:
            raise DataError(
                f"{error} What came is kept. Check the network, then: {fetch_command(config)}"
            ) from error
    return folder


def fetch_command(config: FetchedData) -> str:
    """The command that fetches these data."""
    words = ["apple-clf", "data", "fetch", config.source]
    for key, value in _given(config).items():
        option = "--out" if key == "path" else f"--{key.replace('_', '-')}"
        words += [option, ",".join(value) if isinstance(value, list) else str(value)]
    return printable(shlex.join(words))


def train_command(config: FetchedData) -> str:
    """The command that trains the embedded network on these data."""
    settings = [f"data.source={config.source}"]
    settings += [f"data.{key}={json.dumps(value)}" for key, value in _given(config).items()]
    words = [word for setting in settings for word in ("--set", setting)]
    return printable(shlex.join(["apple-clf", "train", *words]))


def licence(config: FetchedData) -> str:
    """Licence and citation of a source, in two lines."""
    published = _publication(config)
    return f"Licence: {published.licence}.\nCite: {published.citation}."


def image_counts(folder: Path) -> dict[str, int]:
    """Number of images by the folder that they lie in, from the manifest."""
    counts: dict[str, int] = _read_manifest(folder)["images"]
    return counts


class _Publication(NamedTuple):
    """What a publisher says of its data."""

    class_names: Sequence[str]
    licence: str
    citation: str


def _publication(config: FetchedData) -> _Publication:
    match config:
        case QuickDrawData():
            return _Publication(quickdraw_names.NAMES, quickdraw.LICENCE, quickdraw.CITATION)
        case Cifar100Data():
            return _Publication(cifar100.NAMES, cifar100.LICENCE, cifar100.CITATION)
        case _:
            assert_never(config)


def _place(config: FetchedData) -> Path:
    if config.path is not None:
        return Path(config.path)
    key = sha256(json.dumps(_request(config), sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "fetched" / f"{config.source}-{key}"


def _check_free(folder: Path) -> None:
    """Refuses a folder that holds something, which a fetch would have to replace."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DataError(
            f"{printable(folder)}: holds something else than what is asked for. "
            "Name another folder."
        )


def _request(config: FetchedData) -> dict[str, Any]:
    """All that decides which images there are, as JSON gives it back."""
    return config.model_dump(mode="json", include=set(_REQUEST))


def _given(config: FetchedData) -> dict[str, Any]:
    """What differs from the defaults, but for the source, as JSON gives it back."""
    given = config.model_dump(mode="json", exclude_defaults=True)
    return {key: given[key] for key in (*_REQUEST[1:], "path") if key in given}


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _check_names(config: FetchedData) -> None:
    known = _publication(config).class_names
    for name in (*(config.classes or ()), *filter(None, [config.one_vs_rest])):
        if name not in known:
            raise DataError(
                f"{config.source} has no class {printable(name)!r}.{_did_you_mean(name, known)}"
            )


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    lower = {known_name.lower(): known_name for known_name in known}
    near = difflib.get_close_matches(name.lower().replace("_", " "), lower, n=1)
    near = near or difflib.get_close_matches(name.lower().replace(" ", "_"), lower, n=1)
    return f" Did you mean {lower[near[0]]}?" if near else ""


def _write(folder: Path, config: FetchedData, downloads: Downloads) -> None:
    """Downloads and writes all images beside the folder, then renames it into place."""
    growing = folder.parent / f".{folder.name}.unfinished"
    counts: Counter[str] = Counter()
    try:
        if growing.exists():
            shutil.rmtree(growing)
        growing.mkdir(parents=True)
        for place, kind, pixels in _pictures(config, downloads):
            if not counts[place]:
                (growing / place).mkdir(parents=True)
            Image.fromarray(pixels).save(growing / place / f"{kind}-{counts[place]:06d}.png")
            counts[place] += 1
        write_whole(growing / LICENCE, f"{licence(config)}\n")
        write_whole(growing / MANIFEST, _manifest(config, downloads, counts))
        if folder.exists():  # and is empty
            folder.rmdir()
        growing.rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(growing, ignore_errors=True)


def _pictures(config: FetchedData, downloads: Downloads) -> Iterator[tuple[str, str, UInt8Array]]:
    """Folder, original class and pixels of each picture."""
    match config:
        case QuickDrawData():
            for name, picture in quickdraw.drawings(config, downloads):
                yield _class_of(name, config), name, picture
        case Cifar100Data():
            for split, name, picture in cifar100.photos(config, downloads):
                yield f"{split}/{_class_of(name, config)}", name, picture
        case _:
            assert_never(config)


def _class_of(name: str, config: FetchedData) -> str:
    return name if config.one_vs_rest in {None, name} else f"not_{config.one_vs_rest}"


def _manifest(config: FetchedData, downloads: Downloads, counts: Counter[str]) -> str:
    files = [
        {"url": file.url, "bytes": file.n_bytes, "sha256": file.sha256}
        for file in downloads.received
    ]
    published = _publication(config)
    content = {
        "request": _request(config),
        "images": counts,
        "files": files,
        "licence": published.licence,
        "citation": published.citation,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
