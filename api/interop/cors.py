"""Which web pages may call: those of the origins on the site's list, and the service's own."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Problem, response_of

PATHS = ("/cds-services", "/fhir", "/auth/token", "/.well-known/smart-configuration")
_METHODS = ("GET", "POST", "OPTIONS")
_HEADERS = ("Authorization", "Content-Type", "Accept", "X-Requested-With", "Origin")


class Cors:
    """CORS for :data:`PATHS`. A page of any other origin is refused, preflight or not; what is no page passes."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], public_url: str | None) -> None:
        self.app = app
        self.origins = frozenset(origin.rstrip("/") for origin in origins)
        self.public_url = public_url
        self.cors = CORSMiddleware(
            app, allow_origins=sorted(self.origins), allow_methods=_METHODS, allow_headers=_HEADERS, max_age=600
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(_under(scope["path"], path) for path in PATHS):
            await self.app(scope, receive, send)
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
