"""The coder's page, and the documentation of the API."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape
from starlette.responses import Response

from api.auth.pages import PageUser, page_context
from api.errors import KINDS, Problem
from api.examples import examples
from codeassist.note import SETTINGS
from codeassist.result import SYSTEMS


def prose(text: str) -> Markup:
    """Plain text with `code` in back quotes as HTML.

    >>> prose("Send `id` & text")
    Markup('Send <code>id</code> &amp; text')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


WEB = Path(__file__).parents[1] / "web"
templates = Jinja2Templates(WEB / "templates", context_processors=[page_context])
templates.env.trim_blocks = templates.env.lstrip_blocks = True
templates.env.filters["prose"] = prose
templates.env.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
router = APIRouter(include_in_schema=False)


@router.get("/")
def workspace(request: Request, user: PageUser, example: str | None = None) -> Response:
    """The workspace; with ``example`` its note is in the form, and the page opens it at once."""
    shown = next((e for e in examples() if e.id == example), None)
    if example is not None and shown is None:
        raise Problem("not-found", "No example note has this name.")
    return templates.TemplateResponse(
        request,
        "workspace.html",
        {
            "examples": examples(),
            "shown": shown,
            "settings": SETTINGS,
            "systems": SYSTEMS,
            "today": date.today().isoformat(),
        },
    )


@router.get("/docs")
def docs(request: Request) -> Response:
    """The routes as OpenAPI describes them, and every error."""
    return templates.TemplateResponse(request, "docs.html", {"api": request.app.openapi(), "problems": KINDS.values()})
