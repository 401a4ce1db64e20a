"""Errors of the API as exceptions, made from its problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer that is an error. A program tests the class, or ``code``.

    Attributes
    ----------
    code : the name of the problem, such as ``review-locked``
    status : the HTTP status; 0 when there was no answer
    errors : for each field that is wrong: ``in``, ``field``, ``code`` and ``detail``
    instance : names the request in the service's log
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"status {status}"))
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.errors: tuple[Mapping[str, Any], ...] = tuple(problem.get("errors", ()))
        self.instance: str | None = problem.get("instance")


class BadRequest(ApiError):
    """The request can't be used as it is (400, 413, 415, 422)."""


class Unauthenticated(ApiError):
    """Nobody is signed in (401)."""


class Forbidden(ApiError):
    """The key or token lacks a scope (403)."""


class NotFound(ApiError):
    """There is no such thing (404)."""


class Conflict(ApiError):
    """The review, or the key, is not in a state for this (409)."""


class TooManyRequests(ApiError):
    """Too many requests, after all attempts (429)."""


class ServerFault(ApiError):
    """A fault of the service (5xx)."""


class Unavailable(ServerFault):
    """The service is starting, or can't code, after all attempts (503)."""


class NotReachable(ApiError):
    """No answer came, after all attempts."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


def error_of(status: int, problem: Mapping[str, Any]) -> ApiError:
    """The exception of an answer."""
    kind = _BY_STATUS.get(status) or (ServerFault if status >= 500 else BadRequest)
    return kind(status, problem)
