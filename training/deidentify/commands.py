"""``codeassist deidentify``."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated

import typer

from codeassist.errors import InputError


def deidentify(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="audited notes, JSON Lines")],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="where they go without identifiers")],
    key: Annotated[
        Path | None,
        typer.Option("--key", help="file with a secret of at least 16 bytes: the same key gives the same surrogates"),
    ] = None,
) -> None:
    """Replace names, numbers and addresses in audited notes, and shift their dates. What it misses stands in the docs:
    look at the result before it leaves the site."""
    from training.audited import read_records
    from training.deidentify.records import Deidentifier

    if target.resolve() == source.resolve():
        raise InputError("give another file to write to")
    made = Deidentifier(_key(key))
    notes = 0
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            for number, record in read_records(source):
                try:
                    if isinstance(record, InputError):
                        raise record
                    line = json.dumps(made(record), ensure_ascii=False)
                except InputError as error:
                    raise InputError(f"{source.name}, line {number}: {error}") from None
                out.write(line + "\n")
                notes += 1
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    found = ", ".join(f"{n} {kind}" for kind, n in made.counts.most_common()) or "nothing"
    typer.echo(f"{notes} notes; replaced: {found}")
    typer.echo("Rules miss identifiers: look at the result before it leaves the site.", err=True)


def _key(file: Path | None) -> bytes:
    """The secret of the file; without one a key that is forgotten at the end."""
    if file is None:
        return secrets.token_bytes(32)
    try:
        found = file.read_bytes().strip()
    except OSError as error:
        raise InputError(f"the key {file} can't be read: {error.strerror}") from None
    if len(found) < 16:
        raise InputError(f"the key in {file.name} has {len(found)} bytes: 16 are the least, 32 better")
    return found
