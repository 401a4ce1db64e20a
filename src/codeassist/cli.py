"""The command line: ``codeassist``.

``api`` and ``training`` add their commands through the entry-point group ``codeassist.commands``.
Exit status 0: done; 1: a failure at run time; 2: wrong use.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codeassist.errors import CodeassistError, InputError

if TYPE_CHECKING:
    from codeassist.note import Note

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Computer-assisted clinical coding: a note in, ranked codes out, for a coder to review.",
)
codes_app = typer.Typer(no_args_is_help=True, help="Search, show and check codes.")
terminology_app = typer.Typer(no_args_is_help=True, help="Releases of the code systems on this machine.")
app.add_typer(codes_app, name="codes")
app.add_typer(terminology_app, name="terminology")

Format = Annotated[str, typer.Option("--format", help="text or json", metavar="text|json")]
Model = Annotated[
    Path | None,
    typer.Option("--model", help="folder of a model release; the promoted or else the shipped one unless given"),
]
Day = Annotated[datetime | None, typer.Option("--date-of-service", formats=["%Y-%m-%d"], help="today unless given")]
System = Annotated[str | None, typer.Option("--system", help="icd-10-cm, icd-10-pcs, cpt or hcpcs")]


@app.command(epilog="Examples: `codeassist suggest note.txt` · `codeassist suggest - --setting inpatient < note.txt`")
def suggest(
    note: Annotated[str, typer.Argument(help="file with the note's text (UTF-8); - is standard input")],
    setting: Annotated[str, typer.Option(help="outpatient, inpatient or emergency")] = "outpatient",
    date_of_service: Day = None,
    format: Format = "text",
    model: Model = None,
) -> None:
    """Suggest codes for one note."""
    from codeassist.assistant import load

    _one_of(format, ("text", "json"), "--format")
    read = _note(note, setting, date_of_service)
    result = load(model).suggest(read)
    if format == "json":
        typer.echo(json.dumps(result.as_record(), ensure_ascii=False, indent=1))
        return
    from codeassist.rendering import render_result

    render_result(result)


@app.command(epilog="Example: `codeassist queries discharge.txt --setting inpatient`")
def queries(
    note: Annotated[str, typer.Argument(help="file with the note's text (UTF-8); - is standard input")],
    setting: Annotated[str, typer.Option(help="outpatient, inpatient or emergency")] = "outpatient",
    date_of_service: Day = None,
    format: Format = "text",
    model: Model = None,
) -> None:
    """Draft queries to the physician where a note is short of what its codes need."""
    from codeassist.assistant import load
    from codeassist.rendering import render_queries
    from codeassist.rules.queries import query_record

    _one_of(format, ("text", "json"), "--format")
    read = _note(note, setting, date_of_service)
    assistant = load(model)
    drafts = assistant.queries(read, assistant.suggest(read))
    if format == "json":
        typer.echo(json.dumps([query_record(q) for q in drafts], ensure_ascii=False, indent=1))
    else:
        render_queries(drafts)


@app.command(
    epilog="Examples: `codeassist batch notes.jsonl codes.jsonl` · "
    "`codeassist batch s3://bucket/notes.parquet s3://bucket/codes/ --scheduler tcp://10.0.0.5:8786`"
)
def batch(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="note records: JSON Lines or Parquet (.parquet); - is standard input")
    ],
    target: Annotated[str, typer.Argument(metavar="OUT", help="results, one a line; - is standard output")],
    model: Model = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="processes; all cores unless given")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="run on the Dask cluster with this scheduler (extra cluster)")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="begin anew where a run was not finished")] = False,
    partition_bytes: Annotated[
        int, typer.Option(min=1, help="on a cluster: bytes of JSON Lines that a task codes")
    ] = 4_000_000,
) -> None:
    """Suggest codes for many notes. A line that can't be read gives an error record; the rest goes on.

    The same command again goes on with a run that was killed.
    """
    from codeassist.progress import rate

    with rate("notes") as advance:
        if scheduler is None:
            from codeassist.batch.local import run_local

            run_local(source, target, model, workers, restart, advance)
            return
        from codeassist.batch.cluster import run_on_cluster

        if workers is not None:
            raise InputError("--workers is of one machine: on a cluster the workers are those of the scheduler")
        run_on_cluster(source, target, scheduler, model, partition_bytes, restart, advance)


@codes_app.command(
    "search",
    epilog="Examples: `codeassist codes search HTN` · `codeassist codes search 'left knee pain' --format json`",
)
def search(
    text: Annotated[list[str], typer.Argument(help="a code, words, an abbreviation")],
    system: System = None,
    date_of_service: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 15,
    format: Format = "text",
) -> None:
    """Find codes by code, title, synonym, abbreviation or misspelling."""
    from codeassist.terminology.access import open_store

    _one_of(format, ("text", "json"), "--format")
    on = date_of_service.date() if date_of_service else None
    hits = open_store().search(" ".join(text), system, on, limit)
    if format == "json":
        typer.echo(
            json.dumps([{"system": h.system, "code": h.code, "display": h.display, "score": h.score} for h in hits])
        )
        return
    for h in hits:
        typer.echo(f"{h.system:<10} {h.code:<9} {h.display}")
    if not hits:
        typer.echo("nothing found", err=True)


@codes_app.command("show", epilog="Example: `codeassist codes show E11.22`")
def show(
    code: Annotated[str, typer.Argument(help="the code, with or without its dot; SYSTEM:CODE names its system")],
    system: System = None,
    date_of_service: Day = None,
    format: Format = "text",
) -> None:
    """Show what the releases say of a code: title, notes, hierarchy, dates."""
    from codeassist.rendering import entry_record, render_entry
    from codeassist.terminology.access import open_store

    _one_of(format, ("text", "json"), "--format")
    prefix, _, rest = code.rpartition(":")
    entry = find_entry(open_store(), rest, prefix or system)
    day = date_of_service.date() if date_of_service else date.today()
    if format == "json":
        typer.echo(json.dumps(entry_record(entry), ensure_ascii=False, indent=1))
    else:
        render_entry(entry, day)


@codes_app.command(
    "check",
    epilog="Examples: `codeassist codes check E11.9 I10/Y --setting inpatient` · `codeassist codes check - < c.json`",
)
def check(
    codes: Annotated[
        list[str],
        typer.Argument(
            metavar="[SYSTEM:]CODE[/POA]...", help="codes, as in cpt:99213-25*1=I10,E11.9 for a line; or - for JSON"
        ),
    ],
    setting: Annotated[str, typer.Option(help="outpatient, inpatient or emergency")] = "outpatient",
    date_of_service: Day = None,
    age: Annotated[float | None, typer.Option(help="years")] = None,
    sex: Annotated[str | None, typer.Option(help="M or F")] = None,
    format: Format = "text",
) -> None:
    """Check a list of codes against the rules and propose its order. The exit status is 0 whatever is found."""
    from codeassist.rendering import render_review
    from codeassist.rules.engine import RuleEngine
    from codeassist.rules.reading import encounter_from_arguments, encounter_from_record, review_record
    from codeassist.settings import settings
    from codeassist.terminology.access import open_store

    _one_of(format, ("text", "json"), "--format")
    store = open_store()
    facts: dict[str, Any] = {"setting": setting, "age": age, "sex": sex}
    if date_of_service:
        facts["date_of_service"] = date_of_service.date().isoformat()
    if codes == ["-"]:
        try:
            record = json.loads(read_text("-"))
        except (ValueError, RecursionError):
            raise InputError("standard input is not valid JSON") from None
        encounter = encounter_from_record(record, store, facts)
    else:
        encounter = encounter_from_arguments(codes, store, facts)
    review = RuleEngine(store, settings().rules).check(encounter)
    if format == "json":
        typer.echo(json.dumps(review_record(review), ensure_ascii=False, indent=1))
    else:
        render_review(review)


@codes_app.command(
    "rules", epilog="Examples: `codeassist codes rules` · `codeassist codes rules validity --format json`"
)
def rules(
    family: Annotated[str | None, typer.Argument(help="one family; all of them unless given")] = None,
    format: Format = "text",
) -> None:
    """List the rules, the levels that they have at this site, and where they come from."""
    from codeassist.rendering import render_rules, rule_record
    from codeassist.rules.policy import policy_of
    from codeassist.rules.registry import FAMILIES
    from codeassist.settings import settings

    _one_of(format, ("text", "json"), "--format")
    if family is not None and family not in FAMILIES:
        raise InputError(f"there is no family {family!r}: use {', '.join(FAMILIES)}")
    policy = policy_of(settings().rules, FAMILIES)
    listed = [r for f in FAMILIES.values() if family in (None, f.name) for r in f.rules.values()]
    if format == "json":
        typer.echo(json.dumps([rule_record(r, policy) for r in listed], ensure_ascii=False, indent=1))
    else:
        render_rules(listed, policy)


@terminology_app.command("status")
def status() -> None:
    """Which releases are held, from which files, and how many codes they have today."""
    from codeassist.rendering import render_status
    from codeassist.terminology.access import open_store

    render_status(open_store())


@terminology_app.command("build")
def build() -> None:
    """Build the index if it is missing or out of date."""
    from codeassist.terminology.access import open_store

    typer.echo(f"the terminology index is ready ({len(open_store()):,} codes)")


@terminology_app.command("import", epilog="Example: `codeassist terminology import icd10cm_order_2027.txt`")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="official files as published, zipped or not")],
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="first day, when the file does not say")
    ] = None,
) -> None:
    """Import official files: tabular, index, order files, PCS tables, HCPCS, CPT, GEMs."""
    from codeassist.settings import settings
    from codeassist.terminology.importing import import_file

    for file in files:
        report = import_file(file, settings().cache_dir, effective.date() if effective else None)
        typer.echo(report.text())


@terminology_app.command("diff", epilog="Example: `codeassist terminology diff 2026-04 2026-10`")
def diff(
    old: Annotated[str, typer.Argument(help="edition, such as 2026-04 or FY2026")],
    new: Annotated[str, typer.Argument(help="edition, such as 2026-10 or FY2027")],
    system: System = None,
    format: Format = "text",
) -> None:
    """What a new edition adds, retires, renames and makes unbillable, and what of ours it touches."""
    from codeassist.terminology.access import open_store
    from codeassist.terminology.diff import diff_releases, render_text

    _one_of(format, ("text", "json"), "--format")
    changes = diff_releases(open_store(), old, new, system or "icd-10-cm")
    typer.echo(
        json.dumps(changes.as_record(), ensure_ascii=False, indent=1) if format == "json" else render_text(changes)
    )


def read_text(name: str) -> str:
    """The text of a file or of standard input; raises :class:`InputError` when it is not there or not UTF-8."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {name}") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder, not a file") from None
    try:
        return raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}): convert it first") from None


def find_entry(store: Any, code: str, system: str | None) -> Any:
    """The entry of a code in the system named, or in the first that has it."""
    from codeassist.errors import UnknownCode
    from codeassist.result import SYSTEMS

    for name in [system] if system else SYSTEMS:
        entry = store.get(name, code)
        if entry is not None:
            return entry
    raise UnknownCode(f"{code} is in no release{f' of {system}' if system else ''} held here")


def _note(name: str, setting: str, date_of_service: datetime | None) -> Note:
    from codeassist.note import Note

    read = Note(
        text=read_text(name),
        id="standard-input" if name == "-" else Path(name).stem,
        setting=setting,  # type: ignore[arg-type]
        date_of_service=date_of_service.date() if date_of_service else date.today(),
    )
    read.check_length(_limit())
    return read


def _limit() -> int:
    from codeassist.settings import settings

    return settings().max_characters


def _one_of(value: str, allowed: tuple[str, ...], option: str) -> None:
    if value not in allowed:
        raise InputError(f"{option} must be {' or '.join(allowed)}, not {value!r}")


def add_commands() -> None:
    """Commands of the parts that are installed beside the library."""
    for point in metadata.entry_points(group="codeassist.commands"):
        part = point.load()
        app.registered_commands.extend(part.registered_commands)
        app.registered_groups.extend(part.registered_groups)


def main() -> None:
    """Run the command line; errors of the caller exit with 2, failures with 1."""
    add_commands()
    try:
        app()
    except InputError as error:
        typer.echo(f"codeassist: {error}", err=True)
        raise SystemExit(2) from None
    except CodeassistError as error:
        typer.echo(f"codeassist: {error}", err=True)
        raise SystemExit(1) from None
    except BrokenPipeError:
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
