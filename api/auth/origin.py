"""Protection against requests that another site's page sends in the name of who is signed in (CSRF).

Two checks, each enough by itself in today's browsers:

- The browser says where the request comes from: ``Sec-Fetch-Site``, or ``Origin`` in those that don't send it. Another
  origin is refused, another port of this machine too. Programs send neither, and are let pass by this check.
- A ``POST`` must be one that no form can send: with a body of a type that forms don't have (JSON), or with the header
  ``X-Requested-With``. Such a request, and every ``PUT``, ``PATCH`` and ``DELETE``, makes a browser ask first whether
  other origins may, and the service never answers that they may.

There is no token to carry through pages, so that programs need no page. ``SameSite=Lax`` on the cookie comes on top.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request

from api.errors import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_HEADER = "x-requested-with"


def check_origin(request: Request, told: bool = False, allowed: Collection[str] = ()) -> None:
    """Raise the problem ``cross-site`` when the browser says that the request comes from another origin, unless it is
    one of ``allowed``; with ``told`` also when it says nothing."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin in allowed:
        return
    if site is not None:
        own = site in ("same-origin", "none")
    elif origin is not None:
        own = origin.partition("://")[2].lower() == request.headers.get("host", "").lower()
    else:
        own = not told
    if not own:
        raise Problem("cross-site", "Send it from a page of this service, or from a program with a key.")


def check_change(request: Request) -> None:
    """Both checks, for a request that changes something and is let in by a cookie. Raises ``cross-site``."""
    if request.method in SAFE:
        return
    check_origin(request)
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and sent in _OF_FORMS and _HEADER not in request.headers:
        raise Problem("cross-site", "Send JSON, or the header X-Requested-With, as no form can.")
