"""The HTTP API and its pages."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from apple_clf import __version__
from apple_clf.errors import AppleClfError, DataError, FileSystemError
from apple_clf.web import schemas
from apple_clf.web.batching import BusyError
from apple_clf.web.guard import (
    Application,
    Guard,
    LingeringResponse,
    RefusedError,
    error_response,
    read_picture,
)
from apple_clf.web.models import ServedRun
from apple_clf.web.service import Service

PAGE = Path(__file__).parent / "page"

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_NAMED = {"index.html": "/", "docs.html": "/docs"}

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Error, "description": description}
    for status, description in {
        400: "empty body, or a parameter out of range",
        403: "asked by a page of another site",
        413: "body too large",
        415: "body of another type than a picture",
        503: "too many are waiting: try again after `Retry-After` seconds",
    }.items()
}
_UNUSABLE: dict[int | str, dict[str, Any]] = {
    422: {"model": schemas.Error, "description": "no usable picture"}
}


def create_app(
    runs: Sequence[ServedRun], *, host: str = "127.0.0.1", collect: Path | None = None
) -> Application:
    """The ASGI application that serves some runs.

    Args:
        runs: the first answers unless another is asked for.
        host: the address that is listened on; requests to another name are refused.
        collect: folder that keeps pictures, or None.

    Raises:
        ArtifactError: a model cannot be used.
        ConfigError, FileSystemError: the folder cannot be used.
    """
    service = Service(runs, collect=collect)
    app = FastAPI(
        title="apple-clf",
        version=__version__,
        description="What a picture shows, and how the network comes to its answer.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        responses={400: _REFUSALS[400], 403: _REFUSALS[403]},
    )
    _add_answers(app, service)
    _add_facts(app, service)
    if service.collection is not None:
        _add_collecting(app, service)
    _add_pages(app)
    _add_errors(app)
    return Guard(app, host=host, counters=service.counters)


def _add_answers(app: FastAPI, service: Service) -> None:
    @app.post(
        "/predict",
        summary="What a picture shows",
        response_model=schemas.AnswerRecord,
        responses=_REFUSALS
        | {422: {"model": schemas.AnswerRecord, "description": "no usable picture"}},
        openapi_extra=schemas.PICTURE | schemas.model_parameter(len(service.models)),
    )
    async def predict(request: Request) -> Response:
        model = _model(request, service)
        with service.room.body() as take:
            body = await read_picture(request.headers, request.receive, take=take)
            answer = await service.answer(body, model=model)
        return _json({**answer.as_dict(), "file": None}, status=422 if answer.error else 200)

    @app.post(
        "/explain",
        summary="What happens inside of every model",
        response_model=schemas.Explanation,
        responses=_REFUSALS | _UNUSABLE,
        openapi_extra=schemas.PICTURE,
    )
    async def explain(request: Request) -> Response:
        with service.room.body() as take:
            body = await read_picture(request.headers, request.receive, take=take)
            return _json(await service.explain(body))


def _add_facts(app: FastAPI, service: Service) -> None:
    @app.get("/health", summary="Whether the server lives", response_model=schemas.Health)
    async def health() -> Response:
        n = len(service.models)
        return _json({"status": "ok", "version": __version__, "models": n})

    @app.get("/model", summary="What is served", response_model=schemas.Models)
    async def model() -> Response:
        return _json(service.as_dict())

    @app.get(
        "/weights",
        summary="The first layer's weights through the training",
        response_model=schemas.Weights,
        responses={404: {"model": schemas.Error, "description": "the run kept none"}},
        openapi_extra=schemas.model_parameter(len(service.models)),
    )
    async def weights(request: Request) -> Response:
        model = _model(request, service)
        found = await service.weights(model=model)
        if found is None:
            raise RefusedError(404, "this run kept no weights that make pictures.")
        return _json(found)

    @app.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        text = service.counters.text(service.gauges())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _add_collecting(app: FastAPI, service: Service) -> None:
    @app.post(
        "/collect",
        summary="Keeps a picture with its class",
        status_code=201,
        response_model=schemas.Kept,
        responses=_REFUSALS | _UNUSABLE | {507: {"model": schemas.Error, "description": "full"}},
        openapi_extra=schemas.PICTURE,
    )
    async def collect(
        request: Request, label: Annotated[str, Query(description="One of the class names.")]
    ) -> Response:
        with service.room.body() as take:
            body = await read_picture(request.headers, request.receive, take=take)
            path = await service.keep(body, label=label)
        return _json({"label": label, "file": path.name}, status=201)


def _add_pages(app: FastAPI) -> None:
    """The page's files, read once; nothing else of the disk has an address."""
    for file in sorted(PAGE.iterdir()):
        if file.suffix in _TYPES:
            _add_page(app, file)


def _add_page(app: FastAPI, file: Path) -> None:
    content = file.read_bytes()

    async def page() -> Response:
        headers = {"cache-control": "no-cache"}
        return Response(content, media_type=_TYPES[file.suffix], headers=headers)

    path = _NAMED.get(file.name, f"/page/{file.name}")
    app.add_api_route(path, page, methods=["GET"], include_in_schema=False)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> Response:
        if error.status == 413:
            return LingeringResponse({"error": error.message}, error.status)
        return error_response(error.status, error.message)

    @app.exception_handler(BusyError)
    async def busy(_request: Request, _error: BusyError) -> Response:
        return error_response(503, "too many requests are waiting. Try again in a second.")

    @app.exception_handler(HTTPException)
    async def not_found(_request: Request, error: HTTPException) -> Response:
        response = error_response(error.status_code, f"{error.detail}. See /docs.")
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return error_response(400, f"{first['loc'][-1]}: {first['msg']}.")

    @app.exception_handler(AppleClfError)
    async def failed(_request: Request, error: AppleClfError) -> Response:
        status = 422 if isinstance(error, DataError) else 500
        status = 507 if isinstance(error, FileSystemError) else status
        return error_response(status, str(error))


def _model(request: Request, service: Service) -> int:
    """The number of the model asked for; FastAPI would take a tenth of a request to find it."""
    if not request.scope["query_string"]:
        return 1
    text = request.query_params.get("model", "1")
    numbers = [str(model.number) for model in service.models]
    if text not in numbers:
        raise RefusedError(400, f"model: one of {', '.join(numbers)}.")
    return int(text)


def _json(content: object, *, status: int = 200) -> Response:
    """As the command line writes it."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(text, status, {"cache-control": "no-store"}, "application/json")
