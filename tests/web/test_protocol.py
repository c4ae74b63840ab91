"""What LimitedProtocol takes from uvicorn, which is not a public part of it and may change."""

import asyncio

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from apple_clf.web.protocol import LimitedProtocol

OWN = {"_start_receiving", "_too_slow", "_refuse"}
METHODS = sorted(
    name for name, value in vars(LimitedProtocol).items() if callable(value) and name not in OWN
)


@pytest.mark.parametrize("name", METHODS)
def test_uvicorn_has_each_method_that_is_overridden(name: str) -> None:
    assert callable(getattr(HttpToolsProtocol, name, None))


def test_uvicorn_keeps_a_connection_s_state_where_it_is_looked_for() -> None:
    async def app(scope: object, receive: object, send: object) -> None: ...

    async def attributes() -> set[str]:
        config = Config(app, http=LimitedProtocol)
        config.load()
        connection = LimitedProtocol(config, ServerState(), {})
        connection.on_message_begin()
        return set(vars(connection))

    taken = {"connections", "cycle", "headers", "loop", "transport", "url"}
    assert taken <= asyncio.run(attributes())


def test_uvicorn_knows_how_far_an_answer_is() -> None:
    names = RequestResponseCycle.__init__.__code__.co_names
    assert {"response_started", "response_complete"} <= set(names)
