"""Bytes over HTTP into a file that may hold the first of them already."""

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from apple_clf.errors import DataError
from apple_clf.io.files import cannot_write, printable, write_whole

if TYPE_CHECKING:
    from requests import Response

WAITS = (1.0, 2.0, 4.0)
"""Seconds before each new attempt; counted anew whenever an attempt got further than any before."""

TIMEOUTS = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes."""

CHUNK = 1 << 16

_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class UnreachableError(DataError):
    """A server cannot be reached, or fails again and again; what came is kept."""


class _InterruptedTransferError(Exception):
    """A transfer stopped in a way that another attempt may cure; str() is the cause."""


def transfer(
    url: str,
    part: Path,
    *,
    n_bytes: int,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Fills `part` with the start of a remote file, or all of it if it is shorter.

    What `part` holds of an earlier attempt is kept, if the server says that the file is still the
    same; a server that cannot send parts makes it begin anew. Its bytes are on the disk at the end.

    Args:
        url: http or https.
        part: beside it, <part>.json remembers which version of the file it is of.
        n_bytes: to have at the end, at most.
        on_progress: called with the bytes there are and those there will be.

    Raises:
        UnreachableError: no network, or the server fails again and again; part stays.
        DataError: there is no such file, or the server refuses.
        FileSystemError: part cannot be written.
    """
    furthest, waits = _size(part), iter(WAITS)
    while True:
        try:
            _attempt(url, part, n_bytes, on_progress)
            with part.open("r+b") as file:
                file.truncate(min(n_bytes, _size(part)))
                os.fsync(file.fileno())
            _version_file(part).unlink(missing_ok=True)
            return
        except _InterruptedTransferError as error:
            if _size(part) > furthest:
                furthest, waits = _size(part), iter(WAITS)
            seconds = next(waits, None)
            if seconds is None:
                raise UnreachableError(f"{printable(url)}: {error}.") from error
            time.sleep(seconds)
        except OSError as error:
            raise cannot_write(part, error) from error


def _attempt(url: str, part: Path, n_bytes: int, on_progress: Callable[[int, int], None]) -> None:
    """Receives what is missing.

    Raises:
        _InterruptedTransferError: it stopped early.
        DataError: another attempt would not help.
        OSError: part cannot be written.
    """
    import requests

    version = _version(part, url)
    have = _size(part) if version else 0
    if have >= n_bytes:
        return
    headers = {"Range": f"bytes={have}-{n_bytes - 1}", "Accept-Encoding": "identity"}
    if version:
        headers["If-Range"] = version
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS) as response:
            if (place := _place(response, part, have)) is not None:
                start, total = place
                if not start:  # the old bytes go first, so that they never pass for the new file's
                    part.unlink(missing_ok=True)
                    _note_version(response, part, url)
                expected = n_bytes if total is None else min(n_bytes, total)
                end = _receive(response, part, start, expected, on_progress)
                if total is not None and end < expected:
                    raise _InterruptedTransferError("the connection broke off")
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _InterruptedTransferError(
            f"the server cannot be reached ({_cause(error)})"
        ) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise _InterruptedTransferError("the connection broke off") from error
    except requests.RequestException as error:
        raise DataError(f"{printable(url)}: cannot be fetched: {_cause(error)}.") from error


def _place(response: "Response", part: Path, have: int) -> tuple[int, int | None] | None:
    """Where the bytes of an answer belong and the size of the remote file, if it is told.

    None if nothing is missing.
    """
    status, sizes = response.status_code, response.headers.get("Content-Range", "")
    if status == HTTPStatus.OK:  # no part was asked for, or the server sends none, or it is new
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    if status == HTTPStatus.PARTIAL_CONTENT:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", sizes.strip())
        if match and int(match[1]) == have:
            return have, int(match[2]) if match[2] != "*" else None
    elif status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        if sizes.strip() == f"bytes */{have}":
            with part.open("ab") as file:  # nothing is missing, be it of an empty file
                file.truncate(have)
            return None
    elif status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _InterruptedTransferError(f"the server answers {status}")
    else:
        what = "there is no such file" if status in _GONE else f"the server answers {status}"
        raise DataError(f"{printable(unquote(response.url))}: {what}.")
    part.unlink(missing_ok=True)
    raise _InterruptedTransferError(f"the server answers {status} with the wrong part")


def _receive(
    response: "Response",
    part: Path,
    start: int,
    expected: int,
    on_progress: Callable[[int, int], None],
) -> int:
    """Where the part ends after the body of an answer, or enough of it, was written to it."""
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            start += len(chunk)
            on_progress(min(start, expected), expected)
            if start >= expected:
                break
    return start


def _note_version(response: "Response", part: Path, url: str) -> None:
    """Remembers which version of a file a part is of; a server that does not tell gets no resume.

    A weak tag stands for equal meaning, not equal bytes, so it does not do.
    """
    tag = response.headers.get("ETag", "")
    version = tag if tag.startswith('"') else response.headers.get("Last-Modified")
    write_whole(_version_file(part), json.dumps({"url": url, "version": version}))


def _version(part: Path, url: str) -> str | None:
    with suppress(OSError, ValueError, LookupError, TypeError):
        noted = json.loads(_version_file(part).read_bytes())
        if noted["url"] == url and part.exists():
            return str(noted["version"]) if noted["version"] else None
    return None


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _cause(error: BaseException) -> str:
    """What the first error of a chain says; those above it repeat addresses and objects."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return printable(getattr(error, "strerror", None) or str(error))
