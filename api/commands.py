"""``codeassist serve``."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from api.auth.accounts import any_administrator
from api.auth.loopback import is_loopback
from api.errors import problem_of
from api.interop.settings import InteropSettings
from api.keymap import read_keymap
from api.serving import CALLERS_IN_LINE, log_to_stderr, make_server
from api.settings import ApiSettings
from api.store.database import Database, open_database
from api.store.errors import DatabaseError
from api.workers import run_workers
from codeassist.errors import InputError
from codeassist.rules.policy import policy_of
from codeassist.rules.registry import FAMILIES
from codeassist.settings import read_settings

app = typer.Typer(help="The API and the coder's page.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that serve; the setting `workers` when left out.")
    ] = None,
    mllp: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port for HL7 messages over MLLP; 0 takes a free one.")
    ] = None,
) -> None:
    """Serve the API and the coder's page.

    \b
    Examples:
      codeassist serve
      codeassist serve --port 8080
      codeassist serve --workers 4
      codeassist serve --mllp 2575
    """
    log_to_stderr()
    settings = _settings(workers)
    database = _database(settings.database_url)
    _require_sign_in(host, settings, database)
    listener = _listen(host, port)
    messages = None if mllp is None else _listen(host, mllp)
    name = f"[{host}]" if ":" in host else host
    typer.echo(f"codeassist is at http://{name}:{listener.getsockname()[1]} (Ctrl+C stops it)")
    if messages is not None:
        typer.echo(f"HL7 messages are taken at mllp://{name}:{messages.getsockname()[1]}")
    if settings.workers > 1:
        database.close()  # each worker opens its own; the schema is up to date by now
        if not run_workers(settings, listener, messages):
            typer.echo("codeassist: the workers could not load what they need; the log above says why.", err=True)
            raise typer.Exit(1)
        return
    server = make_server(settings, database, messages)
    server.run(sockets=[listener])
    if server.failure is not None:
        typer.echo(f"codeassist: {problem_of(server.failure).detail}", err=True)
        raise typer.Exit(1)


def _settings(workers: int | None) -> ApiSettings:
    """The settings, with the files that they name: what a site has to mend is told before anything loads."""
    from api.interop.smart.assertion import signing_keys  # each worker would import its cryptography with this module

    try:
        settings = read_settings(ApiSettings)
        if workers is not None:
            settings = settings.model_copy(update={"workers": workers})
        policy_of(settings.rules, FAMILIES)
        read_keymap(settings.keymap)
        signing_keys(read_settings(InteropSettings))
    except InputError as error:
        typer.echo(f"codeassist: {error}", err=True)
        raise typer.Exit(2) from None
    return settings


def _database(url: str) -> Database:
    """The database, up to date; ends with status 1 when it can't be used."""
    try:
        return open_database(url)
    except DatabaseError as error:
        typer.echo(f"codeassist: {error}", err=True)
        raise typer.Exit(1) from None


def _require_sign_in(host: str, settings: ApiSettings, database: Database) -> None:
    """On an address that others can reach nobody may work without signing in; ends with status 2 where they could."""
    if is_loopback(host) or settings.oidc:
        return
    with database.reading() as session:
        ready = any_administrator(session)
    if not ready:
        typer.echo(
            f"codeassist: on {host} others can reach the service, and no sign-in is set up. Make an administrator with "
            "`codeassist users add NAME --role administrator`, or set CODEASSIST_OIDC_ISSUER and "
            "CODEASSIST_OIDC_CLIENT_ID; or leave --host out to serve this machine alone.",
            err=True,
        )
        database.close()
        raise typer.Exit(2)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: the address is known to be free, and callers wait in line, before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only on sockets that say TCP: without it each answer takes 40 ms more
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(CALLERS_IN_LINE)
    except OSError as error:
        listener.close()
        reason = error.strerror or "it can't be used"
        typer.echo(f"codeassist: can't listen on {host}:{port}: {reason}. Give another --port or --host.", err=True)
        raise typer.Exit(1) from None
    return listener
