"""Errors as RFC 9457 problem documents: one shape for all of them.

A problem says what was wrong and what to do. It never quotes the note, and an
exception that nobody foresaw is never shown: its place stands in the log.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib import resources
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from codeassist.errors import CodeassistError

MEDIA_TYPE = "application/problem+json"
LONGEST_FIELD = 80
"""Names of fields come from the caller: they are cut to this many characters."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of ``problems.toml``."""

    code: str
    status: int
    title: str
    meaning: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field or parameter that is wrong. ``place`` is ``body``, ``query`` or ``path``."""

    place: str
    field: str
    code: str
    detail: str


def _kinds() -> dict[str, Kind]:
    table = tomllib.loads(resources.files("api").joinpath("problems.toml").read_text("utf-8"))
    return {code: Kind(code, **row) for code, row in table.items()}


KINDS: Mapping[str, Kind] = _kinds()


class Problem(Exception):
    """An error that the caller sees. ``code`` is a row of ``problems.toml``."""

    def __init__(
        self, code: str, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def as_record(self, request_id: str | None = None) -> dict[str, Any]:
        """The problem document.

        >>> Problem("not-ready", "Try again in 2 seconds.").as_record()["type"]
        '/docs#not-ready'
        """
        record: dict[str, Any] = {
            "type": f"/docs#{self.kind.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.kind.code,
        }
        if request_id:
            record["instance"] = f"urn:uuid:{request_id}"
        if self.errors:
            record["errors"] = [
                {"in": e.place, "field": e.field, "code": e.code, "detail": e.detail} for e in self.errors
            ]
        return record


def problem_of(error: Exception) -> Problem:
    """The problem that the caller may see of any exception."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, CodeassistError):
        code = error.code if error.code in KINDS else "invalid-input"
        return Problem(code, _sentence(str(error)))
    if isinstance(error, HTTPException):
        return _of_http(error)
    return Problem("internal-error", "The service could not answer. Its log names the place under this instance.")


def invalid(errors: Iterable[Mapping[str, Any]], place: str | None = None) -> Problem:
    """The problem for what pydantic found. Its ``input`` is left out, because it may be the note.

    ``place`` is given when the locations don't begin with one, as FastAPI's do.
    """
    found = tuple(_field_error(e, place) for e in errors)
    names = ", ".join(dict.fromkeys(e.field for e in found if e.field))
    return Problem("invalid-request", f"Not valid: {names}." if names else _sentence(found[0].detail), found)


def response_of(problem: Problem, scope: Scope) -> Response:
    """The HTTP answer that carries the problem: a problem document, or what the application has set for the paths under
    a prefix (``app.state.problem_answers``), where a standard has errors of its own."""
    own = getattr(scope.get("app"), "state", None)
    answers: Mapping[str, Callable[[Problem], Response]] = getattr(own, "problem_answers", {})
    for prefix, answer in answers.items():
        if scope["path"] == prefix or scope["path"].startswith(f"{prefix}/"):
            return answer(problem)
    return JSONResponse(
        problem.as_record(scope.get("codeassist.request_id")),
        problem.kind.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def _field_error(error: Mapping[str, Any], place: str | None) -> FieldError:
    location = [str(part) for part in error["loc"]]
    if place is None:
        place, location = (location[0], location[1:]) if location else ("body", [])
    detail = "this field is not known" if error["type"] == "extra_forbidden" else error["msg"]
    return FieldError(place, ".".join(location)[:LONGEST_FIELD], error["type"].replace("_", "-"), detail)


def _of_http(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return Problem("not-found", "No route has this path. /docs lists the routes.", headers=headers)
        case 405:
            allowed = headers.get("Allow") or headers.get("allow") or "another method"
            return Problem("method-not-allowed", f"Use {allowed} here.", headers=headers)
        case 413:
            return Problem("body-too-large", "The body is larger than the limit.", headers=headers)
        case 415:
            return Problem("unsupported-media-type", "Send application/json.", headers=headers)
        case status if status < 500:
            return Problem("bad-request", f"{HTTPStatus(status).phrase}.", headers=headers)
        case _:
            return Problem("internal-error", "The service could not answer.", headers=headers)


def _sentence(message: str) -> str:
    """An exception's message as a sentence.

    >>> _sentence("the note is empty")
    'The note is empty.'
    """
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")
