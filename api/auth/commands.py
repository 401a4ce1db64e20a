"""``codeassist users`` and ``codeassist keys``: administration on the machine itself."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.auth import accounts, keys
from api.auth.passwords import Passwords, check_password
from api.auth.records import key_record, user_record
from api.settings import ApiSettings
from api.store.accounts import UserRow
from api.store.database import open_database
from api.store.errors import DatabaseError
from codeassist.errors import InputError
from codeassist.settings import read_settings

app = typer.Typer()
users_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
keys_app = typer.Typer(no_args_is_help=True, help="Keys of programs.")
app.add_typer(users_app, name="users")
app.add_typer(keys_app, name="keys")

T = TypeVar("T")
Name = Annotated[str, typer.Argument(metavar="NAME")]
Roles = Annotated[list[str], typer.Option("--role", help="coder, auditor, administrator or service; may be repeated")]
Format = Annotated[str, typer.Option("--format", help="text or json", metavar="text|json")]


@users_app.command("add", epilog="Example: `codeassist users add anne --role administrator`")
def add(name: Name, role: Roles) -> None:
    """Add a user. The password is asked for, or read from standard input. The first user is an administrator."""
    wanted, roles = accounts.name_of(name), accounts.roles_of(role)
    settings = read_settings(ApiSettings)
    first = not settings.oidc and accounts.ADMINISTRATOR not in roles
    if first and not _done(accounts.any_administrator):
        raise InputError("the first user needs the role administrator, or nobody could administer the service")
    hashed = _new_password(wanted, settings)
    _done(lambda s: accounts.add(s, _me(), wanted, hashed, roles))
    typer.echo(f"added {wanted}: {', '.join(roles)}")


@users_app.command("list", epilog="Example: `codeassist users list`")
def list_users(format: Format = "text") -> None:
    """List the users."""
    records = _done(lambda s: [user_record(row) for row in accounts.everybody(s)])
    if _json(format):
        typer.echo(json.dumps(records, indent=1))
        return
    for r in records:
        state = "disabled" if r["disabled"] else f"locked until {r['locked_until']}" if r["locked_until"] else "active"
        typer.echo(f"{r['name']:<24} {', '.join(r['roles']):<32} {r['source']:<6} {state}")


@users_app.command("set-password", epilog="Example: `codeassist users set-password anne < new-password.txt`")
def set_password(name: Name) -> None:
    """Give a user another password, asked for or read from standard input. The user's sessions end."""
    hashed = _new_password(accounts.name_of(name), read_settings(ApiSettings))
    _change(name, lambda s, row: accounts.set_password(s, _me(), row, hashed), "has another password")


@users_app.command("disable", epilog="Example: `codeassist users disable anne`")
def disable(name: Name) -> None:
    """Shut a user out; the sessions end and the keys stop."""
    _change(name, lambda s, row: accounts.set_disabled(s, _me(), row, True), "is disabled")


@users_app.command("enable", epilog="Example: `codeassist users enable anne`")
def enable(name: Name) -> None:
    """Let a user in again."""
    _change(name, lambda s, row: accounts.set_disabled(s, _me(), row, False), "is enabled")


@users_app.command("unlock", epilog="Example: `codeassist users unlock anne`")
def unlock(name: Name) -> None:
    """Let a user try again who has failed too often."""
    _change(name, lambda s, row: accounts.unlock(s, _me(), row), "is unlocked")


@users_app.command("roles", epilog="Example: `codeassist users roles anne --role coder --role auditor`")
def set_roles(name: Name, role: Roles) -> None:
    """Give a user other roles in place of those that the user has."""
    _change(name, lambda s, row: accounts.set_roles(s, _me(), row, role), f"has the roles {', '.join(role)}")


@keys_app.command("create", epilog="Example: `codeassist keys create --name ehr --scope suggest --days 365`")
def create_key(
    name: Annotated[str, typer.Option(help="what the audit trail calls it, after key:")],
    scope: Annotated[list[str], typer.Option("--scope", help="what it may do; may be repeated")],
    owner: Annotated[str | None, typer.Option(help="user whose rights bound it; else the role service does")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="how long it lasts; for good unless given")] = None,
) -> None:
    """Make a key and print it. It is not shown again."""
    expires = None if days is None else datetime.fromtimestamp(datetime.now(UTC).timestamp() + days * 86400, UTC)
    typer.echo(_done(lambda s: keys.create(s, _me(), name, scope, owner, expires).text))


@keys_app.command("list", epilog="Example: `codeassist keys list`")
def list_keys(format: Format = "text") -> None:
    """List the keys, without their secrets."""
    records = _done(lambda s: [key_record(row) for row in keys.listed(s)])
    if _json(format):
        typer.echo(json.dumps(records, indent=1))
        return
    for r in records:
        state = "revoked" if r["revoked"] else f"until {r['expires']}" if r["expires"] else "active"
        used = f"last used {r['last_used']}" if r["last_used"] else "never used"
        typer.echo(f"{r['id']}  {r['name']:<24} {', '.join(r['scopes']):<40} {state}; {used}")


@keys_app.command("revoke", epilog="Example: `codeassist keys revoke ehr`")
def revoke_key(key: Annotated[str, typer.Argument(metavar="ID|NAME")]) -> None:
    """End a key for good."""
    row = _done(lambda s: keys.revoke(s, _me(), key))
    typer.echo(f"revoked {row.name}")


def _change(name: str, work: Callable[[Session, UserRow], None], what: str) -> None:
    def found(session: Session) -> str:
        row = accounts.find(session, name)
        work(session, row)
        return row.name

    typer.echo(f"{_done(found)} {what}")


def _done(work: Callable[[Session], T]) -> T:
    with _transaction() as session:
        return work(session)


@contextmanager
def _transaction() -> Iterator[Session]:
    database = open_database(read_settings(ApiSettings).database_url)
    try:
        with database.writing() as session:
            yield session
    except SQLAlchemyError:
        raise DatabaseError("the database can't be used") from None
    finally:
        database.close()


def _me() -> str:
    """What the audit trail calls who administers on the machine: the operating system's name of the user."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container may have no name for its user
        return "cli"


def _new_password(name: str, settings: ApiSettings) -> str:
    """The hash of a password from the terminal, without showing it, or from standard input; never from an argument,
    which other users of the machine can see."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    check_password(password, name)
    return Passwords(settings.argon2_passes, settings.argon2_memory_kib).hash(password)


def _json(format: str) -> bool:
    if format not in ("text", "json"):
        raise InputError(f"--format must be text or json, not {format!r}")
    return format == "json"
