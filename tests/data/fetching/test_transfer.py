import json
import resource
from pathlib import Path

import numpy as np
import pytest
from conftest import InChild

from apple_clf.data.fetching import transfer as module
from apple_clf.data.fetching.transfer import UnreachableError, transfer
from apple_clf.errors import DataError, FileSystemError
from data.fetching.server import Fault, Site

CONTENT = np.random.default_rng(0).bytes(300_000)
MORE = 1_000_000
KEPT = 3 * module.CHUNK  # of a body that breaks off or stalls after 200,000 bytes


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "file.part"


@pytest.fixture
def url(site: Site) -> str:
    site.files["/file"] = CONTENT
    return f"{site.url}/file"


def begin(url: str, part: Path, site: Site) -> None:
    """Leaves a part of a transfer that was given up."""
    site.faults.extend([Fault(drop_after=200_000), *[Fault(status=503)] * 3])
    with pytest.raises(UnreachableError):
        transfer(url, part, n_bytes=MORE)
    site.asked.clear()


def test_a_shorter_file_comes_whole(url: str, part: Path) -> None:
    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert list(part.parent.iterdir()) == [part]


def test_no_more_is_asked_for_than_wanted(url: str, part: Path, site: Site) -> None:
    transfer(url, part, n_bytes=1000)

    assert part.read_bytes() == CONTENT[:1000]
    assert site.ranges == ["bytes=0-999"]


def test_a_server_without_ranges_is_left_when_enough_has_come(
    url: str, part: Path, site: Site
) -> None:
    site.faults.append(Fault(ignores_range=True))

    transfer(url, part, n_bytes=1000)

    assert part.read_bytes() == CONTENT[:1000]


def test_progress_is_told_and_ends_at_the_whole(url: str, part: Path) -> None:
    told: list[tuple[int, int]] = []
    transfer(url, part, n_bytes=MORE, on_progress=lambda *sizes: told.append(sizes))

    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("cut", [0, 1, module.CHUNK, 299_999])
def test_a_dropped_connection_is_taken_up_where_it_broke(
    url: str, part: Path, site: Site, cut: int
) -> None:
    site.faults.append(Fault(drop_after=cut))

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    first, second = site.ranges
    assert (first, second) == ("bytes=0-999999", f"bytes={_kept(cut)}-999999")


def _kept(cut: int) -> int:
    """Bytes that reach the file: of a chunk that breaks off none do."""
    return cut // module.CHUNK * module.CHUNK


def test_a_later_call_goes_on(url: str, part: Path, site: Site) -> None:
    begin(url, part, site)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert site.ranges == [f"bytes={KEPT}-999999"]


def test_an_address_that_needs_quoting_is_known_again(part: Path, site: Site) -> None:
    site.files["/~a b"] = CONTENT
    begin(f"{site.url}/~a b", part, site)

    transfer(f"{site.url}/~a b", part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert site.ranges == [f"bytes={KEPT}-999999"]


def test_a_server_that_ignores_ranges_begins_anew(url: str, part: Path, site: Site) -> None:
    begin(url, part, site)
    site.faults.append(Fault(ignores_range=True))

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_a_file_that_changed_meanwhile_is_not_mixed(url: str, part: Path, site: Site) -> None:
    begin(url, part, site)
    site.files["/file"], site.version = CONTENT[::-1], '"2"'

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("version", [None, 'W/"1"'])
def test_what_cannot_be_told_to_be_the_same_file_begins_anew(
    url: str, part: Path, site: Site, version: str | None
) -> None:
    site.version = version
    begin(url, part, site)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert site.ranges == ["bytes=0-999999"]


def test_a_part_of_another_address_is_not_continued(url: str, part: Path, site: Site) -> None:
    begin(url, part, site)
    site.files["/other"] = CONTENT[::-1]

    transfer(f"{site.url}/other", part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT[::-1]


def note(part: Path, url: str, content: bytes) -> None:
    part.write_bytes(content)
    part.with_name("file.part.json").write_text(json.dumps({"url": url, "version": '"1"'}))


def test_a_part_that_is_whole_already_is_kept(url: str, part: Path, site: Site) -> None:
    note(part, url, CONTENT)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert site.ranges == ["bytes=300000-999999"]


def test_a_part_with_enough_in_it_asks_nobody(url: str, part: Path, site: Site) -> None:
    note(part, url, CONTENT)

    transfer(url, part, n_bytes=1000)

    assert part.read_bytes() == CONTENT[:1000]
    assert site.asked == []


def test_a_part_longer_than_the_file_begins_anew(url: str, part: Path) -> None:
    note(part, url, CONTENT + b"more")

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1, "version": 2}', "\0"])
def test_a_damaged_note_begins_anew(url: str, part: Path, text: str) -> None:
    note(part, url, CONTENT[::-1][:1000])
    part.with_name("file.part.json").write_text(text)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("ignores_range", [True, False])
def test_an_empty_file_is_a_file(url: str, part: Path, site: Site, ignores_range: bool) -> None:
    part.write_bytes(b"of some other file")
    site.files["/file"] = b""
    site.faults.append(Fault(ignores_range=ignores_range))

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == b""


def test_a_stalled_server_is_asked_again(
    url: str, part: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUTS", (10.0, 0.3))
    site.faults.append(Fault(stall_after=200_000))

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert site.ranges[-1] == f"bytes={KEPT}-999999"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again(url: str, part: Path, site: Site, status: int) -> None:
    site.faults.extend([Fault(status=status)] * 3)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT


def test_it_gives_up_when_nothing_more_comes(url: str, part: Path, site: Site) -> None:
    site.faults.extend([Fault(drop_after=0)] * 4)

    with pytest.raises(UnreachableError, match="the connection broke off"):
        transfer(url, part, n_bytes=MORE)

    assert len(site.asked) == 4


def test_it_does_not_give_up_while_more_comes(
    url: str, part: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1000)
    site.faults.extend([Fault(drop_after=20_000)] * 14)

    transfer(url, part, n_bytes=MORE)

    assert part.read_bytes() == CONTENT
    assert len(site.asked) == 15


@pytest.mark.parametrize(
    ("status", "cause"), [(404, "there is no such file"), (403, "the server answers 403")]
)
def test_a_refusal_is_final(url: str, part: Path, site: Site, status: int, cause: str) -> None:
    site.faults.append(Fault(status=status))

    with pytest.raises(DataError, match=cause):
        transfer(url, part, n_bytes=MORE)

    assert len(site.asked) == 1


def test_no_network_is_said_in_a_line(site: Site, part: Path) -> None:
    with pytest.raises(UnreachableError) as raised:
        transfer("http://127.0.0.1:1/file", part, n_bytes=MORE)

    assert str(raised.value) == (
        "http://127.0.0.1:1/file: the server cannot be reached (Connection refused)."
    )


def test_an_address_that_is_none_is_said_in_a_line(part: Path) -> None:
    with pytest.raises(DataError, match=r"^http://: cannot be fetched: .+\.$"):
        transfer("http://", part, n_bytes=MORE)


def test_a_full_disk_is_a_fault_of_the_file_system(url: str, part: Path, in_child: InChild) -> None:
    def fill() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            transfer(url, part, n_bytes=MORE)
        except FileSystemError as error:
            return str(error)
        return "no error"

    assert "file.part: cannot be written: File too large" in in_child(fill)
    transfer(url, part, n_bytes=MORE)
    assert part.read_bytes() == CONTENT
