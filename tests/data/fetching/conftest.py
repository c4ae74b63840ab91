"""Fixtures of the tests that fetch: a server on this machine that fails as it is told to."""

from collections.abc import Iterator

import pytest

from apple_clf.data.fetching import transfer
from data.fetching.server import Site, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The mirror that is asked instead of the publishers; attempts follow without a pause."""
    monkeypatch.setattr(transfer, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as site:
        monkeypatch.setenv("APPLE_CLF_MIRROR", site.url)
        yield site
