"""What every request passes through: an id, security headers, a line in the log, and the last catch."""

from __future__ import annotations

import logging
import time
import traceback
import uuid

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of, response_of

log = logging.getLogger("codeassist.api")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def place_of(error: BaseException) -> str:
    """The exception's class and the lines it came through. Its message is left out: it may quote a note."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join([type(error).__name__, *(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))])


class Guard:
    """The outermost layer around the application.

    The log has the route, not the path or the query, because a search text may name a patient's illness.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["codeassist.request_id"] = str(uuid.uuid4())
        started = time.perf_counter()
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if "Access-Control-Allow-Origin" in headers:  # an origin that the site has named
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_guarded)
        except ClientDisconnect:
            status = 499  # the client left before the answer: nobody to tell, and nothing to mend
        except Exception as error:
            log.error("%s %s", request_id, place_of(error))
            if status:  # half an answer is out: only breaking the connection tells the client
                raise RuntimeError(f"answer {request_id} was broken off") from None
            await response_of(problem_of(error), scope)(scope, receive, send_guarded)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            milliseconds = (time.perf_counter() - started) * 1000
            log.info("%s %s %s %d %.0f ms", request_id, scope["method"], route, status, milliseconds)
