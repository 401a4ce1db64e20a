"""Pages: who looks at them, and the way to sign in for those who have not."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from api.errors import Problem
from api.users import User, current_user, needs

SIGN_IN = "/sign-in"


class SignInNeeded(Exception):
    """Nobody is signed in; ``path`` is where to go afterwards."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def page_user(request: Request) -> User:
    """Who looks at a page; raises :class:`SignInNeeded`, which sends the browser to ``/sign-in``."""
    try:
        return await current_user(request)
    except Problem as problem:
        if problem.kind.code != "unauthenticated":
            raise
        query = f"?{request.url.query}" if request.url.query else ""
        raise SignInNeeded(request.url.path + query) from None


PageUser = Annotated[User, Depends(page_user)]


async def page_coder(user: PageUser) -> User:
    """Who looks at a page that puts notes to review; raises the problem ``forbidden``."""
    return await needs("reviews:write")(user)


PageCoder = Annotated[User, Depends(page_coder)]


async def to_sign_in(request: Request, error: Exception) -> Response:
    """The answer to :class:`SignInNeeded`."""
    assert isinstance(error, SignInNeeded)
    return RedirectResponse(f"{SIGN_IN}?next={quote(error.path, safe='')}", 303)


def local_path(text: str | None) -> str:
    """``text`` when it is a path of this service, else ``/``: nobody is led elsewhere after signing in.

    >>> local_path("/?example=progress"), local_path("//elsewhere.example")
    ('/?example=progress', '/')
    """
    safe = text is not None and text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if safe and text is not None and len(text) <= 500 else "/"


def page_context(request: Request) -> dict[str, object]:
    """What ``base.html`` says of who is there: ``local_mode``, and ``user`` where one has signed in."""
    user: User | None = getattr(request.state, "user", None)
    local = bool(request.scope.get("codeassist.local_mode"))
    return {"local_mode": local, "user": None if local else user}
