import sys
from hashlib import md5
from pathlib import Path

import pytest

from apple_clf.data.fetching.downloads import Downloads, alone_in, mirrored
from apple_clf.errors import ConfigError, DataError, FileSystemError, LockedError, MissingExtraError
from data.fetching.server import Fault, Site

URL = "https://publisher.example/data/file"
CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


def get(folder: Path, *, checksum: str | None = None, n_bytes: int = 1_000_000) -> bytes:
    downloads = Downloads(folder, on_progress=lambda name, done, total: None)
    with downloads.file(URL, name="file", n_bytes=n_bytes, checksum=checksum) as received:
        return received.path.read_bytes()


@pytest.fixture(autouse=True)
def _published(site: Site) -> None:
    site.files["/data/file"] = CONTENT


def test_a_file_is_downloaded_once(folder: Path, site: Site) -> None:
    assert get(folder) == get(folder) == CONTENT
    assert len(site.asked) == 1


def test_what_came_is_recorded(folder: Path, site: Site) -> None:
    downloads = Downloads(folder, on_progress=lambda name, done, total: None)
    with downloads.file(URL, name="file", n_bytes=100):
        pass

    (received,) = downloads.received
    assert received.url == f"{site.url}/data/file"
    assert received.n_bytes == 100
    assert (folder / "file.sha256").read_text() == f"sha256:{received.sha256}"


def test_a_file_damaged_on_the_disk_is_downloaded_again(folder: Path, site: Site) -> None:
    get(folder)
    (folder / "file").write_bytes(CONTENT[:-1])

    assert get(folder) == CONTENT
    assert len(site.asked) == 2


@pytest.mark.parametrize("checksum", [None, f"md5:{md5(CONTENT).hexdigest()}"])
def test_bytes_that_are_not_the_known_ones_are_refused_and_forgotten(
    folder: Path, site: Site, checksum: str | None
) -> None:
    get(folder)
    (folder / "file").write_bytes(b"damaged")
    site.faults.append(Fault(flips_byte=70_000))

    with pytest.raises(DataError, match="its checksum is not the one that is known"):
        get(folder, checksum=checksum)

    assert not any(folder.iterdir())
    assert get(folder, checksum=checksum) == CONTENT


@pytest.mark.parametrize("note", ["", "sha256:0", "nonsense", "\xff"])
def test_a_damaged_note_costs_a_download_and_no_more(folder: Path, note: str) -> None:
    get(folder)
    (folder / "file.sha256").write_text(note, encoding="latin-1")
    try:
        content = get(folder)
    except DataError:
        content = get(folder)

    assert content == CONTENT


def test_a_file_found_unfit_is_downloaded_again(folder: Path, site: Site) -> None:
    downloads = Downloads(folder, on_progress=lambda name, done, total: None)
    with (
        pytest.raises(DataError, match="unfit"),
        downloads.file(URL, name="file", n_bytes=100),
    ):
        raise DataError("unfit")

    assert downloads.received == []
    get(folder)
    assert len(site.asked) == 2


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_file_system(folder: Path) -> None:
    folder.write_text("a file")

    with pytest.raises(FileSystemError, match="cannot be written"):
        get(folder)
    with pytest.raises(FileSystemError, match="cannot be written"), alone_in(folder):
        pass


def test_a_second_process_is_kept_out(folder: Path) -> None:
    with (
        alone_in(folder),
        pytest.raises(LockedError, match="another process is fetching"),
        alone_in(folder),
    ):
        pass
    with alone_in(folder):
        pass


def test_what_a_killed_process_left_is_cleared_but_for_parts(folder: Path) -> None:
    folder.mkdir()
    for name in ("tmpabc", "file", "file.part", "file.part.json"):
        (folder / name).touch()

    with alone_in(folder):
        assert not (folder / "tmpabc").exists()
        assert len(list(folder.glob("file*"))) == 3


def test_without_pooch_a_line_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'apple-clf\[fetch\]'"):
        get(folder)


@pytest.mark.parametrize(
    ("mirror", "asked"),
    [
        ("", URL),
        ("http://mirror.example", "http://mirror.example/data/file"),
        ("https://mirror.example/copies/", "https://mirror.example/copies/data/file"),
    ],
)
def test_a_mirror_has_the_paths_of_the_publisher(
    monkeypatch: pytest.MonkeyPatch, mirror: str, asked: str
) -> None:
    monkeypatch.setenv("APPLE_CLF_MIRROR", mirror)

    assert mirrored(URL) == asked


@pytest.mark.parametrize("mirror", ["mirror.example", "file:///etc", "ftp://mirror", "http:///x"])
def test_a_mirror_is_a_web_address(monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("APPLE_CLF_MIRROR", mirror)

    with pytest.raises(ConfigError, match="not a web address"):
        mirrored(URL)
