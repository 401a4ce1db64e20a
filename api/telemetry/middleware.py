"""Counts and times requests, and traces them where that is set up."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry.metrics import REQUEST_SECONDS, REQUESTS

if TYPE_CHECKING:
    from api.telemetry.tracing import Tracing

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_LEFT = 499


def route_of(scope: Scope) -> str:
    """The template of the route that answers, such as ``/v1/reviews/{number}``; ``-`` where none does. Never the path:
    it may hold what nobody else should read, and callers could make any number of them."""
    return str(getattr(scope.get("route"), "path", None) or "-")


def method_of(scope: Scope) -> str:
    """The method; ``other`` for what is none."""
    return scope["method"] if scope["method"] in METHODS else "other"


class Telemetry:
    """The layer around everything else. An answer's time ends with its last byte."""

    def __init__(self, app: ASGIApp, tracing: Tracing | None) -> None:
        self.app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.perf_counter()
        status = CLIENT_LEFT

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracing.request(scope) if self._tracing else nullcontext() as span:
            try:
                await self.app(scope, receive, send_seen)
            finally:
                route, method = route_of(scope), method_of(scope)
                REQUESTS.labels(route, method, status).inc()
                REQUEST_SECONDS.labels(route).observe(time.perf_counter() - begin)
                if span is not None:
                    span.answered(route, method, status)
