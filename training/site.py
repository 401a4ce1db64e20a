"""A site's own parts in training: checked first, and its local codes read as the real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from codeassist.errors import InputError
from codeassist.site import Site, check_site, read_site, with_site
from codeassist.terminology.access import open_store
from codeassist.terminology.store import Store, normal_key
from training.audited import AuditedCode, AuditedNote


def checked_site(folder: Path | None) -> Site | None:
    """The site of the settings, if any. Raises :class:`InputError` that lists the lines which can't be used."""
    if folder is None:
        return None
    wrong = [p for p in check_site(folder, open_store()) if p.level == "error"]
    if wrong:
        told = "\n".join(f"  {p.file}, line {p.line}: {p.message}" for p in wrong[:20])
        raise InputError(f"the site's folder {folder} can't be used:\n{told}")
    return read_site(folder)


def store_of_site(site: Site | None) -> Store:
    """The terminology, with the site's terms, headings, cues and codes where there is one."""
    return open_store() if site is None else with_site(open_store(), site)


def localised(audited: AuditedNote, site: Site) -> AuditedNote:
    """The note with the codes that the site's local ones stand for, each once."""
    codes: dict[tuple[str, str], AuditedCode] = {}
    for code in audited.codes:
        real = site.meaning(code.system, code.key)
        found = code if real is None else replace(code, key=normal_key(real[1]))
        codes.setdefault((found.system, found.key), found)
    return replace(audited, codes=tuple(codes.values()))
