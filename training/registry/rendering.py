"""The registry's answers as text and as JSON records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.fingerprint import data_line, data_records
from training.metrics import MEASURES
from training.registry.compare import Comparison
from training.registry.folder import Held
from training.registry.history import Step
from training.registry.integrity import Verified


def held_record(held: Held) -> dict[str, Any]:
    """A release as ``models list`` tells it."""
    manifest = held.manifest or {}
    fitted = manifest.get("metrics", {}).get("out_of_fold", {})
    return {
        "release": held.name,
        "name": manifest.get("name"),
        "version": manifest.get("version"),
        "written": held.written.isoformat(timespec="seconds"),
        "notes": manifest.get("notes"),
        "f1": {group: round(figures["f1"], 3) for group, figures in fitted.items()},
        "promoted": held.promoted,
        "readable": held.manifest is not None,
    }


def render_list(releases: list[Held]) -> str:
    """A line a release; the promoted one has a star."""
    rows = [("", "release", "name", "version", "written", "notes", "F1 out of fold")]
    for r in map(held_record, releases):
        figures = ", ".join(f"{g} {v:.3f}" for g, v in r["f1"].items()) if r["readable"] else "the manifest is damaged"
        rows.append(
            (
                "*" if r["promoted"] else "",
                r["release"],
                r["name"] or "",
                r["version"] or "",
                r["written"][:10],
                str(r["notes"] or ""),
                figures,
            )
        )
    return _table(rows)


def show_record(held: Held, steps: list[Step]) -> dict[str, Any]:
    """A release as ``models show`` tells it: its manifest without the list of files, and what the log says of it."""
    manifest = held.manifest or {}
    return {
        **held_record(held),
        "folder": str(held.folder),
        "manifest": {k: v for k, v in manifest.items() if k not in ("files", "features")},
        "files": len(manifest.get("files", {})),
        "history": [s.record for s in steps if held.name in (s.release, s.record.get("instead_of"))],
    }


def render_show(record: dict[str, Any]) -> str:
    """The same as text."""
    manifest = record["manifest"]
    lines = [
        f"{record['release']}{' (promoted)' if record['promoted'] else ''}: {record['name']} {record['version']}",
        f"written {record['written']}, {record['notes']} notes, {record['files']} files, in {record['folder']}",
    ]
    before = manifest.get("from_release")
    if before:
        lines.append(f"begun from {before['name']} {before['version']} (sha256 {before['sha256'][:16]}…)")
    lines += [f"trained on {data_line(d)}" for d in data_records(manifest)]
    for group, figures in manifest.get("metrics", {}).get("out_of_fold", {}).items():
        told = ", ".join(f"{k} {figures[k]:.3f}" for k in ("precision", "recall", "f1", "candidate_recall"))
        lines.append(f"out of fold, {group}: {told}")
    lines += [f"{group}: the ranker of the release begun from, unchanged" for group in manifest.get("kept_rankers", ())]
    lines.append("libraries: " + ", ".join(f"{k} {v}" for k, v in manifest.get("libraries", {}).items()))
    if "environment" in manifest:
        lines.append("environment: " + ", ".join(manifest["environment"].values()))
    if "mention_detectors" in manifest:
        lines.append("recognisers of the site: " + ", ".join(manifest["mention_detectors"]))
    lines.append("terminology: " + ", ".join(f"{k} {v}" for k, v in manifest.get("terminology", {}).items()))
    for step in record["history"]:
        what = f"{step['action']} to {step['release'] or 'shipped'} by {step['user']}"
        forced = ", forced" if step.get("forced") else ""
        reason = f": {step['reason']}" if step["reason"] else ""
        lines.append(f"{step['time']}: {what}{forced}{reason}")
    return "\n".join(lines)


def render_comparison(a: str, b: str, compared: Comparison) -> str:
    """Every measure of both releases with the difference, its interval, and what can be said of it."""
    rows = [("system", "measure", a, b, "difference", f"{compared.confidence:.0%} interval", "")]
    for system, by in compared.systems.items():
        for measure, d in ((m, by[m]) for m in MEASURES):
            interval = f"{d.low:+.3f} to {d.high:+.3f}"
            verdict = "" if d.verdict == "open" else d.verdict
            rows.append((system, measure, f"{d.a:.3f}", f"{d.b:.3f}", f"{d.difference:+.3f}", interval, verdict))
    return f"{compared.notes} notes; paired bootstrap over patients, or notes where none is known\n{_table(rows)}"


def render_verified(found: Verified) -> str:
    """One line, and one more for each problem."""
    head = f"{found.name}: {'damaged' if found.problems else 'right'}{', ' if found.signature else ''}{found.signature}"
    return "\n".join([head, *(f"  {p}" for p in found.problems)])


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)
