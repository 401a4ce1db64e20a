"""``codeassist serve``."""

from __future__ import annotations

import logging
import socket
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.errors import problem_of
from api.settings import ApiSettings

app = typer.Typer(help="The API and the coder's page.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
) -> None:
    """Serve the API and the coder's page.

    \b
    Examples:
      codeassist serve
      codeassist serve --port 8080
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    listener = _listen(host, port)
    name = f"[{host}]" if ":" in host else host
    application = create_app(ApiSettings(), on_failure=lambda: setattr(server, "should_exit", True))
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    typer.echo(f"codeassist is at http://{name}:{listener.getsockname()[1]} (Ctrl+C stops it)")
    server.run(sockets=[listener])
    failure = application.state.engine.failure
    if failure is not None:
        typer.echo(f"codeassist: {problem_of(failure).detail}", err=True)
        raise typer.Exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: the address is known to be free, and callers wait in line, before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = error.strerror or "it can't be used"
        typer.echo(f"codeassist: can't listen on {host}:{port}: {reason}. Give another --port or --host.", err=True)
        raise typer.Exit(1) from None
    return listener
