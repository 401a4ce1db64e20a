"""One process that serves: the application in a uvicorn server."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import uvicorn

from api.garbage import collecting_at_rest
from api.peers import PassOn, Peers
from api.sharing import Line, Loads, Share

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.engine import Engine
    from api.settings import ApiSettings
    from api.store.database import Database

SWITCH_SECONDS = 0.0005
"""How long a thread that reads a note keeps the event loop from going on; Python's own 5 ms, some times in each
request, would be a good part of the time that an answer takes."""
KEEP_SECONDS = 75
"""How long an idle connection stays open: longer than clients and proxies keep theirs, so that none sends a request
into one that is just being closed."""
CALLERS_IN_LINE = 2048
"""Connections that the kernel keeps for a worker to take; it caps them at ``net.core.somaxconn``."""


def log_to_stderr() -> None:
    """The log of a process, as all of the service write it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


def make_server(
    settings: ApiSettings,
    database: Database,
    mllp: socket.socket | None = None,
    leads: bool = True,
    share: Share | None = None,
    peers: Peers | None = None,
) -> Server:
    """The server of this process, which stops when the assistant can't be loaded; ``mllp`` and ``leads`` as in
    :func:`api.app.create_app`. Without ``share`` and ``peers`` no other process takes callers of its sockets."""
    from api.app import create_app

    share = share or Share(Loads(1), 0)
    application = create_app(
        settings,
        on_failure=lambda: setattr(server, "should_exit", True),
        database=database,
        mllp=mllp,
        leads=leads,
        told=share.hold,
    )
    config = uvicorn.Config(
        PassOn(application, share, peers),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds,
        timeout_keep_alive=KEEP_SECONDS,
    )
    server = Server(config, application, share, peers)
    return server


class Server(uvicorn.Server):
    """Takes its callers from a line that it may share with other processes."""

    def __init__(self, config: uvicorn.Config, application: FastAPI, share: Share, peers: Peers | None) -> None:
        super().__init__(config)
        self._application = application
        self._engine: Engine = application.state.engine
        self._share = share
        self._peers = peers
        self._lines: list[Line] = []
        self._beside = AsyncExitStack()

    @property
    def failure(self) -> Exception | None:
        """Why the assistant could not be loaded."""
        return self._engine.failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take callers."""
        sys.setswitchinterval(SWITCH_SECONDS)
        await self._beside.enter_async_context(collecting_at_rest(self._engine.places))
        await super().startup([])
        if self._peers is not None:
            await self._peers.listen(self._application)
        self._lines = [Line(listener, self._protocol, self._share) for listener in sockets or ()]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more callers, and end what is under way."""
        for line in self._lines:
            line.close()
        if self._peers is not None:
            begin, seconds = time.monotonic(), self.config.timeout_graceful_shutdown or 0
            await self._peers.close(seconds)
            self.config.timeout_graceful_shutdown = max(1, round(seconds - (time.monotonic() - begin)))
        await super().shutdown(sockets)
        await self._beside.aclose()

    def _protocol(self) -> asyncio.Protocol:
        make = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]
