"""The pages: worklist, review, new note, and the documentation of the API."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape
from starlette.responses import Response

from api.auth.pages import PageUser, page_context
from api.errors import KINDS, Problem
from api.examples import examples
from api.keymap import read_keymap
from api.review_schemas import LARGEST
from api.static import modules, version
from api.store.audits import AUDIT_STATES
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
templates.env.globals.update(static=f"/static/{version()}", modules=modules)
templates.env.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
router = APIRouter(include_in_schema=False)
_LINKS = (
    ("/", "Worklist"),
    ("/new", "New note"),
    ("/audits", "Second look"),
    ("/reports", "Reports"),
    ("/docs", "API"),
)


def page_response(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A page, with what all of them need."""
    keymap = read_keymap(request.app.state.settings.keymap)
    shared = {"keymap": keymap, "links": _LINKS, "settings": SETTINGS, "systems": SYSTEMS}
    return templates.TemplateResponse(request, template, {**shared, **context}, status)


@router.get("/")
def worklist(request: Request, user: PageUser) -> Response:
    """The worklist; its tab and filters stand in the address, and the page asks the API for the notes."""
    return page_response(request, "worklist.html")


@router.get("/new")
def new_note(request: Request, user: PageUser, example: str | None = None) -> Response:
    """The form for a note; with ``example`` its note is in the form, and the page opens it at once."""
    shown = next((e for e in examples() if e.id == example), None)
    if example is not None and shown is None:
        raise Problem("not-found", "No example note has this name.")
    today = date.today().isoformat()
    return page_response(request, "new.html", examples=examples(), shown=shown, today=today)


@router.get("/reviews/{number}")
def review(request: Request, user: PageUser, number: Annotated[int, PathParameter(ge=1, le=LARGEST)]) -> Response:
    """The workspace for one note. The page asks the API for it."""
    return page_response(request, "review.html", number=number, audit=False)


@router.get("/audits")
def audits(request: Request, user: PageUser) -> Response:
    """The second looks, and the way to the next one for those who may audit."""
    return page_response(request, "audits.html", auditing="audits" in user.scopes, audit_states=AUDIT_STATES)


@router.get("/audits/{number}")
def audit(request: Request, user: PageUser, number: Annotated[int, PathParameter(ge=1, le=LARGEST)]) -> Response:
    """The workspace for one second look: the note is coded again, then compared."""
    return page_response(request, "review.html", number=number, audit=True)


@router.get("/reports")
def reports(request: Request, user: PageUser) -> Response:
    """Tables and plots of how suggestions were taken; which one, and its filters, stand in the address."""
    return page_response(request, "reports.html", reporting="reports" in user.scopes)


@router.get("/docs")
def docs(request: Request) -> Response:
    """The routes as OpenAPI describes them, and every error."""
    return page_response(request, "docs.html", api=request.app.openapi(), problems=KINDS.values())
