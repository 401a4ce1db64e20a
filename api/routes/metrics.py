"""The metrics, for a Prometheus of this machine or one that has a token."""

from __future__ import annotations

import hmac

import anyio.to_thread
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.auth.bearer import token_of
from api.auth.loopback import is_loopback
from api.settings import ApiSettings
from api.telemetry.metrics import exposition
from api.users import current_user, needs

router = APIRouter(tags=["service"])


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """In Prometheus's text format: to callers of this machine, with the setting ``metrics_token`` as bearer token, or
    with the scope ``admin``."""
    if not (_of_this_machine(request) or _has_token(request)):
        await needs("admin")(await current_user(request))
    return Response(await anyio.to_thread.run_sync(exposition), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _of_this_machine(request: Request) -> bool:
    """Whether the caller is on this machine, and no proxy that speaks for somebody else."""
    forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    return request.client is not None and is_loopback(request.client.host) and not forwarded


def _has_token(request: Request) -> bool:
    settings: ApiSettings = request.app.state.settings
    expected = settings.metrics_token.get_secret_value()
    sent = token_of(request)
    return bool(expected) and sent is not None and hmac.compare_digest(sent.encode(), expected.encode())
