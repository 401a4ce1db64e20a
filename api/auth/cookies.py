"""The cookies of sign-in: never readable by scripts, and sent over HTTPS alone but on this machine itself."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.auth.loopback import host_of, is_loopback


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie of one purpose. Over HTTPS its name begins with ``__Host-``, which keeps neighbouring domains out."""

    base: str

    def name(self, request: Request) -> str:
        """The name under which the browser keeps it."""
        return f"__Host-{self.base}" if _secure(request) else self.base

    def read(self, request: Request) -> str | None:
        """What the browser sent."""
        return request.cookies.get(self.name(request))

    def write(self, request: Request, response: Response, value: str, seconds: int | None = None) -> None:
        """Set it: for so many seconds, or until the browser is closed."""
        response.set_cookie(
            self.name(request), value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=_secure(request)
        )

    def remove(self, request: Request, response: Response) -> None:
        """Take it away."""
        response.delete_cookie(self.name(request), path="/", httponly=True, samesite="lax", secure=_secure(request))


SESSION = Cookie("codeassist-session")
OIDC_FLOW = Cookie("codeassist-oidc")


def _secure(request: Request) -> bool:
    """Everywhere but at http://127.0.0.1 and its like, where there is no HTTPS and nobody listens on the way."""
    return request.url.scheme == "https" or not is_loopback(host_of(request.headers.get("host", "")))
