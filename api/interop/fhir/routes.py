"""FHIR R4 under ``/fhir``, as its CapabilityStatement has it too."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.errors import Problem
from api.interop.authentication import TokenSuggester
from api.interop.fetching import Fetcher
from api.interop.fhir import terminology
from api.interop.fhir.attachments import Source
from api.interop.fhir.capability import capability_statement, structure_definition
from api.interop.fhir.description import READ, body, given, operation_problems, query
from api.interop.fhir.outcome import resource_response
from api.interop.fhir.resources import collect, parse_resource
from api.interop.fhir.suggesting import read_documents, suggest_codes
from api.interop.state import base_url, interop_of
from api.openapi import BODY, problems
from api.settings import ApiSettings
from api.store.base import now
from codeassist.terminology.store import Store

FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
_ACCEPTED = ("application/fhir+json", "application/json", "application/*", "*/*")


def wants_json(request: Request) -> None:
    """Raise the 406 problem when ``_format`` or ``Accept`` asks for anything but JSON."""
    asked = request.query_params.get("_format")
    if asked is not None:
        # a plus in a query may have come as a blank
        given = asked.split(";")[0].strip().replace(" ", "+")
        if given not in FORMATS:
            raise Problem("not-acceptable", "Resources are given as application/fhir+json.")
        return
    accept = request.headers.get("accept", "*/*").lower()
    if not any(part.split(";")[0].strip() in _ACCEPTED for part in accept.split(",")):
        raise Problem("not-acceptable", "Resources are given as application/fhir+json.")


router = APIRouter(prefix="/fhir", tags=["fhir"], dependencies=[Depends(wants_json)])
_FORMATTED = {"parameters": [{"name": "_format", "in": "query", "required": False, "schema": {"type": "string"}}]}


@router.get(
    "/metadata",
    summary="What the FHIR routes can do",
    response_class=Response,
    responses={**given("The CapabilityStatement."), **problems(*READ)},
    openapi_extra=_FORMATTED,
)
def metadata(request: Request) -> Response:
    """The CapabilityStatement."""
    return resource_response(capability_statement(base_url(request), version("codeassist")))


@router.get(
    "/StructureDefinition/{name}",
    summary="Show an extension",
    response_class=Response,
    responses={**given("The StructureDefinition."), **problems(*READ, "not-found")},
    openapi_extra=_FORMATTED,
)
def definition(name: Annotated[str, Path(description="`suggestion`, `evidence` or `decision`.")]) -> Response:
    """One of the project's own extensions."""
    found = structure_definition(name)
    if found is None:
        raise Problem("not-found", "There is no StructureDefinition of this name.")
    return resource_response(found)


@router.post(
    "/DocumentReference/$suggest-codes",
    summary="Code documents",
    response_class=Response,
    responses={
        **given("A Bundle: Conditions, Procedures, a draft Claim, the texts as they were read, and Provenance."),
        **problems(
            *READ,
            *(code for code in BODY if code not in READ),
            "forbidden",
            "cross-site",
            "note-too-large",
            "invalid-input",
            "fetch-failed",
        ),
    },
    openapi_extra=body(("DocumentReference", "Bundle", "Parameters"), visit="fhir-visit.json"),
)
async def suggest(request: Request, user: TokenSuggester) -> Response:
    """Suggested codes for a DocumentReference, or for those in a Bundle or Parameters."""
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    sent = await _body(request)
    found = await engine.run(lambda: collect(parse_resource(sent)))
    read = await read_documents(found, Source(Fetcher(interop_of(request).settings)))
    return resource_response(await engine.run(lambda: suggest_codes(found, read, assistant, settings.max_characters)))


Answer = Callable[[Store, terminology.Values], dict[str, Any]]


def _expand(store: Store, values: terminology.Values) -> dict[str, Any]:
    return terminology.expand(store, values, now())


OPERATIONS: dict[str, tuple[str, Answer, str]] = {
    "/CodeSystem/$lookup": ("Look up a code", terminology.lookup, "Parameters with the code's properties."),
    "/CodeSystem/$validate-code": ("Validate a code", terminology.validate_code, "Parameters: `result`, `message`."),
    "/ValueSet/$expand": ("Expand a value set", _expand, "The ValueSet with its expansion."),
}


def _add(path: str, summary: str, answer: Answer, description: str) -> None:
    async def by_query(request: Request, user: TokenSuggester) -> Response:
        """Asked by the parameters of the query."""
        return await _answer(request, answer, dict(request.query_params))

    async def by_body(request: Request, user: TokenSuggester) -> Response:
        """Asked by Parameters."""
        return await _answer(request, answer, _values(parse_resource(await _body(request))))

    name = path.split("$")[1]
    shared: dict[str, Any] = {"summary": summary, "response_class": Response}
    for method, endpoint, extra in (
        ("GET", by_query, query(name)),
        ("POST", by_body, body(("Parameters",), parameters=f"fhir-{name}.json")),
    ):
        responses = {**given(description), **operation_problems(method == "POST")}
        router.add_api_route(path, endpoint, methods=[method], responses=responses, openapi_extra=extra, **shared)


for _path, _row in OPERATIONS.items():
    _add(_path, *_row)


async def _answer(request: Request, answer: Answer, values: terminology.Values) -> Response:
    engine: Engine = request.app.state.engine
    store = engine.assistant.terminology
    return resource_response(await engine.run(lambda: answer(store, values)))


async def _body(request: Request) -> bytes:
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    return await read_body(request, settings.max_body_bytes)


def _values(resource: dict[str, Any]) -> terminology.Values:
    """The parameters of an operation by name."""
    rows = resource.get("parameter", [])
    if resource["resourceType"] != "Parameters" or not isinstance(rows, list):
        raise Problem("invalid-request", "Send Parameters.")
    values: terminology.Values = {}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise Problem("invalid-request", "Parameters.parameter is a list of objects with a name.")
        found = [v for k, v in row.items() if k.startswith("value") or k == "resource"]
        if found:
            values[row["name"]] = found[0]
    return values
