"""Which web pages may call: those of the origins on the site's list, and the service's own."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Problem, response_of
from api.idempotency import HEADER, REPLAYED

STRICT = ("/cds-services", "/fhir", "/auth/token", "/.well-known/smart-configuration")
_METHODS = ("GET", "POST", "OPTIONS")
API = ("/v1", "/compat")
_HEADERS = ("Authorization", "Content-Type", "Accept", "X-Requested-With", "Origin", HEADER)
_EXPOSED = ("Retry-After", "X-Request-ID", REPLAYED)


class Cors:
    """CORS for the API and for what EHRs call. On :data:`STRICT` paths a page of any other origin is refused, preflight
    or not; on those of the :data:`API` the browser keeps the answer from it. What is no page passes."""

    def __init__(self, app: ASGIApp, origins: Collection[str], public_url: str | None) -> None:
        self.app = app
        self.origins = frozenset(origin.rstrip("/") for origin in origins)
        self.public_url = public_url
        self.cors = CORSMiddleware(
            app,
            allow_origins=sorted(self.origins),
            allow_methods=_METHODS,
            allow_headers=_HEADERS,
            expose_headers=_EXPOSED,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        strict = scope["type"] == "http" and any(_under(scope["path"], path) for path in STRICT)
        if not strict:
            api = scope["type"] == "http" and any(_under(scope["path"], path) for path in API)
            await (self.cors if api and self.origins else self.app)(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin")
        if origin is None or self._own(scope, origin):
            await self.app(scope, receive, send)
        elif origin not in self.origins:
            problem = Problem("origin-refused", "Pages of this origin may not call: the site's cors_origins lack it.")
            await response_of(problem, scope)(scope, receive, send)
        else:
            await self.cors(scope, receive, send)

    def _own(self, scope: Scope, origin: str) -> bool:
        own = f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"
        return origin == own or (self.public_url is not None and f"{self.public_url}/".startswith(f"{origin}/"))


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
