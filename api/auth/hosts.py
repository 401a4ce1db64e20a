"""By which names, and from where, the service may be addressed."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.identity import Identity
from api.auth.loopback import host_of, is_loopback
from api.errors import Problem, response_of

ALWAYS = ("/healthz", "/readyz")
"""Answered under every name, because a monitor asks by address; they tell nothing that is worth a trick."""


class HostGuard:
    """Refuses a request under another name (DNS rebinding: a web page whose name its owner lets point at this machine)
    with the problem ``host-refused``. Without sign-in it also refuses what comes from another machine, by a proxy."""

    def __init__(self, app: ASGIApp, identity: Identity, allowed: frozenset[str]) -> None:
        self.app = app
        self._identity = identity
        self._allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in ALWAYS:
            try:
                local = scope["codeassist.local_mode"] = await self._identity.local_mode(scope["app"])
                self._check(Request(scope), local)
            except Problem as problem:
                await response_of(problem, scope)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _check(self, request: Request, local: bool) -> None:
        name = host_of(request.headers.get("host", "localhost"))  # only programs leave it out: no browser can
        if not (is_loopback(name) or name in self._allowed or not (local or self._allowed)):
            raise Problem("host-refused", "Use the name in the setting allowed_hosts, or 127.0.0.1 on this machine.")
        if local and request.client is not None and _is_elsewhere(request.client.host):
            raise Problem("host-refused", "Without sign-in the service answers only the machine that it runs on.")


def _is_elsewhere(peer: str) -> bool:
    try:
        ipaddress.ip_address(peer)
    except ValueError:
        return False  # not from the network: a socket in the file system, or a call in process
    return not is_loopback(peer)
