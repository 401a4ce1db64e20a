"""``codeassist models``: the registry's commands."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from codeassist.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Model releases: list, compare, promote, roll back, sign and verify.")

Release = Annotated[str, typer.Argument(help="name in the registry, 'shipped', or a folder")]
Audited = Annotated[
    list[Path] | None, typer.Option("--audited", help="JSON Lines of audited notes, or a folder of note files")
]
Format = Annotated[str, typer.Option("--format", help="text or json", metavar="text|json")]


@app.command("list", epilog="Example: `codeassist models list --format json`")
def list_releases(format: Format = "text") -> None:
    """The releases of the registry; a star marks the promoted one."""
    from training.registry.folder import open_registry
    from training.registry.rendering import held_record, render_list

    registry = open_registry()
    releases = registry.releases()
    if _json(format):
        _print([held_record(r) for r in releases])
    elif releases:
        typer.echo(render_list(releases))
    else:
        typer.echo(f"no releases in {registry.folder}", err=True)


@app.command("show", epilog="Example: `codeassist models show 2026-11`")
def show(release: Release, format: Format = "text") -> None:
    """What the manifest and the log say of a release."""
    from training.registry.folder import open_registry
    from training.registry.history import read_log
    from training.registry.rendering import render_show, show_record

    registry = open_registry()
    record = show_record(registry.held(release), read_log(registry.folder))
    if _json(format):
        _print(record)
    else:
        typer.echo(render_show(record))


@app.command("compare", epilog="Example: `codeassist models compare shipped 2026-11 --audited site-test.jsonl`")
def compare(a: Release, b: Release, audited: Audited = None, format: Format = "text") -> None:
    """Measure two releases on the same audited notes, with the interval of each difference."""
    from training.fingerprint import data_record
    from training.registry.compare import compare as compared_by
    from training.registry.compare import seen_in_training
    from training.registry.folder import open_registry
    from training.registry.promotion import open_assistant, read_notes, scores_of
    from training.registry.rendering import render_comparison

    as_json = _json(format)
    if not audited:
        raise InputError("name the notes to compare on: --audited FILE")
    registry = open_registry()
    notes = read_notes(audited)
    fingerprints = [data_record(p, "")["sha256"] for p in audited]
    scores = []
    for name in (a, b):
        assistant = open_assistant(registry, name)
        scores.append(scores_of(assistant, notes, name))
        if seen_in_training(assistant.release.manifest, fingerprints):
            typer.echo(f"{name} was trained on these notes: its figures say nothing", err=True)
    compared = compared_by(scores[0], scores[1])
    if as_json:
        _print({"a": a, "b": b, **compared.as_record()})
    else:
        typer.echo(render_comparison(a, b, compared))


@app.command("promote", epilog="Example: `codeassist models promote 2026-11 --audited site-test.jsonl`")
def promote(
    release: Release,
    audited: Audited = None,
    gates: Annotated[
        Path | None, typer.Option("--gates", help="TOML file of gates; gates.toml of the registry unless given")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="promote although a gate fails")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="kept in the log; --force needs one")] = None,
    format: Format = "text",
) -> None:
    """Let a release be served, unless it is worse than the promoted one at a gate."""
    from training.registry.folder import open_registry
    from training.registry.promotion import promote as do

    as_json = _json(format)
    done = do(open_registry(), release, audited=audited or (), gates=gates, force=force, reason=reason)
    if as_json:
        _print(done.as_record())
        return
    for outcome in done.outcomes:
        typer.echo(f"{'passes' if outcome.passed else 'FAILS'}  {outcome.gate}: {outcome.detail}")
    if not done.outcomes:
        typer.echo("no gate was configured and no notes were named: nothing was compared", err=True)
    typer.echo(f"promoted {done.release} instead of {done.before}{' (forced)' if done.forced else ''}")


@app.command("rollback", epilog="Example: `codeassist models rollback --reason 'odd CPT codes'`")
def rollback(
    reason: Annotated[str | None, typer.Option("--reason", help="kept in the log")] = None, format: Format = "text"
) -> None:
    """Go back to the release that was served before."""
    from training.registry.folder import open_registry
    from training.registry.promotion import roll_back

    as_json = _json(format)
    name = roll_back(open_registry(), reason)
    if as_json:
        _print({"release": name})
    else:
        typer.echo(f"{name} is served again")


@app.command("sign", epilog="Example: `codeassist models sign 2026-11 --key site-private.pem`")
def sign(release: Release, key: Annotated[Path, typer.Option("--key", help="Ed25519 private key, PEM")]) -> None:
    """Sign a release; its files are checked first."""
    from training.registry.folder import open_registry
    from training.registry.integrity import sign_release

    public = sign_release(open_registry().path(release), key)
    typer.echo(f"signed {release} (public key {public})")


@app.command("verify", epilog="Example: `codeassist models verify 2026-11 --key site-public.pem`")
def verify(
    release: Annotated[str | None, typer.Argument(help="as elsewhere; the whole registry unless given")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="public key, or a folder of them, to be signed by")] = None,
    format: Format = "text",
) -> None:
    """Check every file against its manifest, the signatures and the log. The exit status is 1 when one is wrong."""
    from training.registry.folder import open_registry
    from training.registry.integrity import verify_registry, verify_release
    from training.registry.rendering import render_verified

    as_json = _json(format)
    registry = open_registry()
    if release is not None:
        found = [verify_release(registry.path(release), key)]
    else:
        found = [*(verify_release(r.folder, key) for r in registry.releases()), verify_registry(registry)]
    if as_json:
        _print([asdict(f) for f in found])
    else:
        typer.echo("\n".join(map(render_verified, found)))
    if any(f.problems for f in found):
        raise typer.Exit(1)


def _json(format: str) -> bool:
    if format not in ("text", "json"):
        raise InputError(f"--format must be text or json, not {format!r}")
    return format == "json"


def _print(record: Any) -> None:
    typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
