import socket

import pytest

from apple_clf.errors import FileSystemError
from apple_clf.web.guard import Guard
from apple_clf.web.server import listen


def test_answers_do_not_wait_for_more_to_send() -> None:
    """What asyncio looks at before it sets TCP_NODELAY; without, an answer takes 40 ms."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_port_0_is_one_that_is_free() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


def test_fault_60_busy_port_is_an_error_with_a_next_step() -> None:
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(FileSystemError, match="--port") as raised,
    ):
        listen("127.0.0.1", taken.getsockname()[1])
    assert raised.value.exit_code == 5


NAMES = [
    ("127.0.0.1", "127.0.0.1:8000", True),
    ("127.0.0.1", "localhost", True),
    ("127.0.0.1", "LOCALHOST:80", True),
    ("127.0.0.1", "[::1]:8000", True),
    ("127.0.0.1", "192.168.0.7", False),
    ("127.0.0.1", "evil.example", False),
    ("127.0.0.1", "127.0.0.1.evil.example", False),
    ("127.0.0.1", "", False),
    ("192.168.0.7", "192.168.0.7:8000", True),
    ("192.168.0.7", "192.168.0.8:8000", False),
    ("0.0.0.0", "192.168.0.7:8000", True),
    ("0.0.0.0", "[fe80::1]:8000", True),
    ("0.0.0.0", "evil.example", False),
    ("::", "10.0.0.1", True),
]


@pytest.mark.parametrize(("listening", "host", "ours"), NAMES)
def test_fault_58_server_goes_by_its_own_addresses_alone(
    listening: str, host: str, ours: bool
) -> None:
    guard = Guard(None, host=listening, counters=None)  # type: ignore[arg-type]  # not asked
    headers = {"host": host} if host else {}
    assert (guard.refusal(headers) is None) == ours
