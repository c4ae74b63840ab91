"""Requests made up from the OpenAPI description, and answers held against it."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from web.serving import Server

pytestmark = pytest.mark.slow

OPERATIONS = {
    "POST /predict",
    "POST /explain",
    "POST /collect",
    "GET /model",
    "GET /weights",
    "GET /health",
    "GET /metrics",
}


def test_answers_are_as_described(server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    # A schema cannot say which bytes are a picture.
    acceptance = import_module("schemathesis.specs.openapi.checks").positive_data_acceptance
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operations = {found.ok().label: found.ok() for found in schema.get_all_operations()}
    assert set(operations) == OPERATIONS
    for operation in operations.values():
        ask_made_up(operation, without=acceptance)


def ask_made_up(operation: Any, *, without: Any) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=[without])

    ask()
