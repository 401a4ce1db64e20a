"""One process that serves: the application in a uvicorn server."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from api.settings import ApiSettings
    from api.store.database import Database

CALLERS_IN_LINE = 2048
"""Connections that the kernel keeps for a worker to take; it caps them at ``net.core.somaxconn``."""


def log_to_stderr() -> None:
    """The log of a process, as all of the service write it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


def make_server(
    settings: ApiSettings, database: Database, mllp: socket.socket | None = None, leads: bool = True
) -> Server:
    """The server of this process, which stops when the assistant can't be loaded; ``mllp`` and ``leads`` as in
    :func:`api.app.create_app`."""
    from api.app import create_app

    application = create_app(
        settings,
        on_failure=lambda: setattr(server, "should_exit", True),
        database=database,
        mllp=mllp,
        leads=leads,
    )
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds,
        backlog=1,
    )
    server = Server(config)
    return server


class Server(uvicorn.Server):
    """Takes callers one or two at a time.

    asyncio takes as many as the backlog in one go, and so one of several workers would have them all. The kernel's line
    is made long again once the sockets are listened to.
    """

    @property
    def failure(self) -> Exception | None:
        """Why the assistant could not be loaded."""
        found: Exception | None = self.config.app.state.engine.failure  # type: ignore[union-attr]
        return found

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            with suppress(OSError):  # closed meanwhile: the server is being stopped
                listener.listen(CALLERS_IN_LINE)
