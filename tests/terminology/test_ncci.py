"""NCCI: CMS's files read and imported, their edits found by code, date and direction, and how long that takes."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import ncci_files as files
import numpy as np
import pytest

from codeassist.errors import TerminologyError
from codeassist.note import Setting
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.families.ncci import check_ncci, ncci_editions
from codeassist.terminology.importing import ImportReport, import_file, import_files
from codeassist.terminology.ncci.importing import ncci_imports
from codeassist.terminology.ncci.layout import Pairs, Units, code_number, code_text, pair_key
from codeassist.terminology.ncci.readers import read_add_ons, read_pairs, read_units
from codeassist.terminology.ncci.store import FOLDER, Ncci, held_in
from codeassist.terminology.ncci.tables import PairTable
from codeassist.terminology.status import terminology_status
from codeassist.terminology.store import Store

WHOLE = 2_800_000
"""Pairs of both tables, as CMS publishes them."""


def numbers(*codes: str) -> list[int]:
    return [code_number(c) for c in codes]


def found(table: PairTable, day: int, *codes: str) -> list[tuple[str, str, int]]:
    return [(code_text(a), code_text(b), i) for a, b, i in table.among(numbers(*codes), day)]


def ncci_of(store: Store, cache: Path) -> Ncci:
    return Ncci(store.folder, cache / FOLDER)


def take(cache: Path, *paths: Path, effective: date | None = None) -> ImportReport:
    return import_files(paths, cache, effective, minimum=1)


# -- what ships ------------------------------------------------------------------------------------


def test_shipped_pairs_concern_the_starter_catalogues(store: Store) -> None:
    table = store.ncci.hospital
    assert len(table.rows) > 100_000 and "2026-04" in table.name
    assert found(table, 20260601, "45380", "45385") == [("45385", "45380", 1)]
    assert found(table, 20260601, "43235", "43239", "99213") == [("43239", "43235", 0)]
    codes = np.unique(np.concatenate([table.rows.key >> np.uint64(26), table.rows.key & np.uint64((1 << 26) - 1)]))
    known = [s for n in codes.tolist() for s in ("cpt", "hcpcs") if store.row(s, code_text(n)) is not None]
    assert len(known) == len(codes)
    assert (np.diff(table.rows.key.astype(np.int64)) >= 0).all()
    assert not any(code_text(n).startswith("D") for n in codes.tolist())


def test_shipped_pairs_have_the_days_of_their_quarters(store: Store) -> None:
    assert found(store.ncci.hospital, 20250630, "00103", "64466") == []
    assert found(store.ncci.hospital, 20250701, "00103", "64466") == [("00103", "64466", 1)]


def test_shipped_add_on_codes(store: Store) -> None:
    add_ons = store.ncci.add_ons.among(numbers("99292", "76937", "88311", "99213"), 20260601)
    assert {code_text(c): a.kind for c, a in add_ons.items()} == {"99292": 1, "76937": 2, "88311": 3}
    assert add_ons[code_number("99292")].primaries == frozenset(numbers("99291"))
    assert not add_ons[code_number("76937")].primaries


def test_no_unit_limits_are_shipped(store: Store) -> None:
    assert [store.ncci.units(k, 20260601) for k in ("hospital", "practitioner", "supplier")] == [None] * 3


# -- readers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["00100", "0042T", "99499", "A1000", "V5364"])
def test_codes_are_numbers_in_their_order(code: str) -> None:
    assert code_text(code_number(code)) == code
    assert code_number(code) < 1 << 26
    assert [code_number(c) for c in ("1234", "+1234", "1_234", "12.34", "１２３４５")] == [-1] * 5


@pytest.mark.parametrize("make", [files.pair_file, files.pair_workbook])
def test_pairs_are_read_from_text_and_workbook(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    suffix = ".txt" if make is files.pair_file else ".xlsx"
    rows = read_pairs(make(tmp_path / f"ccioph-v321r0-f2{suffix}"), 2)
    table = PairTable("test", rows)
    assert len(rows) == len(files.PAIRS) and set(rows.part.tolist()) == {2}
    assert found(table, 20260601, "10000", "10001", "10002") == [("10000", "10001", 0), ("10000", "10002", 1)]
    assert found(table, 20260601, "10002", "10001") == []
    assert found(table, 20240101, "10000", "10003") == []  # indicator 9: withdrawn as of its first day


def test_a_pair_is_found_on_its_days_only(tmp_path: Path) -> None:
    table = PairTable("test", read_pairs(files.pair_file(tmp_path / "ccioph-v321r0-f1.txt")))
    by_day = {day: found(table, day, "10000", "A1000") for day in (19951231, 19960101, 20251231, 20260101, 20260401)}
    assert [[i for *_, i in hits] for hits in by_day.values()] == [[], [1], [1], [], [0]]
    assert found(table, 20260331, "10000", "0042T") == [("0042T", "10000", 1)]
    assert found(table, 20260401, "10000", "0042T") == []


@pytest.mark.parametrize("kind", ["hospital", "practitioner", "supplier"])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_unit_limits_are_read(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"MCR_MUE{suffix}"
    if suffix == ".csv":
        files.unit_file(path, kind)
    else:
        files.workbook(path, files.unit_lines(kind))
    provider, rows = read_units(path)
    assert provider == kind
    limits = zip(rows.code.tolist(), rows.units.tolist(), rows.indicator.tolist(), strict=True)
    assert [(code_text(c), u, i) for c, u, i in limits] == [("10000", 1, 2), ("10002", 0, 1), ("A1000", 3, 3)]


@pytest.mark.parametrize("delimiter", ["\t", ",", "|", ""])
def test_add_on_codes_are_read_whatever_parts_them(tmp_path: Path, delimiter: str) -> None:
    rows = read_add_ons(files.add_on_file(tmp_path / "AOC_V2026Q2-MCR.txt", delimiter))
    keys = [pair_key(code_number(a), max(code_number(p), 0) if p != "CCCCC" else 0) for a, _, p, *_ in files.ADD_ONS]
    assert rows.key.tolist() == sorted(keys)
    assert set(rows.first.tolist()) == {20130101} and sorted(rows.last.tolist())[0] == 20251231


# -- damaged files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("10000\t10001\t\t20200101", "line 7"),
        ("10000\t1000\t\t20200101\t*\t0\tx", "line 7"),
        ("10000\t10001\t\t20201301\t*\t0\tx", "line 7"),
        ("10000\t10001\t\t20200101\t*\t5\tx", "line 7"),
        ("10000\t10001\t\t\t*\t1\tx", "line 7"),
    ],
)
def test_a_damaged_pair_is_named_by_its_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "ccioph-v321r0-f1.txt"
    path.write_text(files.PAIR_NOTICE + files.PAIR_HEADS + row + "\r\n", encoding="cp1252", newline="")
    with pytest.raises(TerminologyError, match=message):
        read_pairs(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = files.pair_file(tmp_path / "ccioph-v321r0-f1.txt")
    with pytest.raises(TerminologyError, match="6 records of NCCI pairs-hospital; a whole file has at least 20000"):
        import_file(path, tmp_path / "cache")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TerminologyError, match=r"ccioph-v321r0-f1\.txt, line 12"):
        take(tmp_path / "cache", path)
    assert not list((tmp_path / "cache").glob("imports/ncci/*"))


def test_a_name_that_tells_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="keep CMS's name"):
        take(tmp_path / "cache", files.pair_file(tmp_path / "part1.txt"))


@pytest.mark.parametrize("cells", ["10000,x,1 Line Edit", "10000,1,7 Other", "1000,1,1 Line Edit", "10000"])
def test_a_damaged_unit_limit_is_named_by_its_line(tmp_path: Path, cells: str) -> None:
    path = files.unit_file(tmp_path / "mue.csv", "hospital")
    path.write_text(path.read_text() + cells + "\n")
    with pytest.raises(TerminologyError, match="line 8"):
        read_units(path)


def test_a_damaged_add_on_is_named_by_its_line(tmp_path: Path) -> None:
    path = files.add_on_file(tmp_path / "AOC_V2026Q2.txt")
    path.write_text(path.read_text() + "10001\t1\tCCCCC\t20130101\t\t\n")
    with pytest.raises(TerminologyError, match="line 8"):
        read_add_ons(path)


def test_unit_limits_without_a_date_ask_for_one(tmp_path: Path) -> None:
    path = files.unit_file(tmp_path / "mue.csv", "hospital")
    with pytest.raises(TerminologyError, match="--effective"):
        take(tmp_path / "cache", path)
    assert take(tmp_path / "cache", path, effective=date(2026, 4, 1)).imports[0].edition == "2026-04"


# -- imports ---------------------------------------------------------------------------------------


def test_parts_of_an_edition_are_joined_as_they_come(tmp_path: Path, store: Store) -> None:
    cache, rows = tmp_path / "cache", files.PAIRS
    for number, part in ((1, rows[:2]), (2, rows[2:])):
        report = take(cache, files.pair_file(tmp_path / f"ccipra-v321r0-f{number}.txt", part))
        assert report.imports[0].edition == "2026-04" and report.index is None
    take(cache, tmp_path / "ccipra-v321r0-f2.txt")  # the same once more
    [held] = held_in(cache / FOLDER)
    assert held.rows == len(rows) and sorted(held.files) == [1, 2]
    assert [i.source for i in ncci_imports(cache / FOLDER)] == ["ccipra-v321r0-f1.txt", "ccipra-v321r0-f2.txt"]
    ncci = ncci_of(store, cache)
    assert ncci.practitioner is not None and ncci.practitioner.name == "practitioner 2026-04"
    assert found(ncci.practitioner, 20260601, "10000", "10001", "A1000") == [
        ("10000", "10001", 0),
        ("10000", "A1000", 0),
    ]
    assert ncci.hospital.name == store.ncci.hospital.name


def test_an_import_needs_no_new_index(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    take(cache, files.pair_file(tmp_path / "ccioph-v321r0-f1.txt"))
    assert not list(cache.glob("terminology-*")) and not list(cache.glob("importing-*"))


def test_a_zip_holds_the_table_as_text_and_workbook(tmp_path: Path, store: Store) -> None:
    text = files.pair_file(tmp_path / "ccioph-v321r0-f1.TXT")
    book = files.pair_workbook(tmp_path / "ccioph-v321r0-f1.xlsx")
    archive = tmp_path / "ccioph-v321r0-f1.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.write(book, book.name)
        z.write(text, text.name)
    report = take(tmp_path / "cache", archive)
    assert [i.rows for i in report.imports] == [len(files.PAIRS)] and report.skipped == (book.name,)
    assert ncci_of(store, tmp_path / "cache").hospital.name == "hospital 2026-04"


def test_a_newer_edition_takes_over_when_it_is_whole(tmp_path: Path, store: Store) -> None:
    cache = tmp_path / "cache"
    take(cache, files.pair_file(tmp_path / "ccioph-v320r0-f1.txt"))
    take(cache, files.pair_file(tmp_path / "ccioph-v321r0-f1.txt", files.PAIRS[:3]))
    assert ncci_of(store, cache).hospital.name == "hospital 2026-01"
    take(cache, files.pair_file(tmp_path / "ccioph-v321r0-f2.txt", files.PAIRS[3:]))
    assert ncci_of(store, cache).hospital.name == "hospital 2026-04"
    assert len(held_in(cache / FOLDER)) == 1
    with pytest.raises(TerminologyError, match="2026-04 is held"):
        take(cache, tmp_path / "ccioph-v320r0-f1.txt")


def test_the_newest_pair_gives_the_quarter_where_no_version_does(tmp_path: Path) -> None:
    report = take(tmp_path / "cache", files.pair_file(tmp_path / "ccioph.txt"))
    assert report.imports[0].effective == "2026-04-01"


def test_unit_limits_are_those_of_the_date_of_service(tmp_path: Path, store: Store) -> None:
    cache = tmp_path / "cache"
    for day in ("01-01-2026", "04-01-2026"):
        take(cache, files.unit_file(tmp_path / f"MCR_MUE_OutpatientHospitalServices_Eff_{day}.csv", "hospital"))
    ncci = ncci_of(store, cache)
    tables = [ncci.units("hospital", day) for day in (20251231, 20260331, 20260401)]
    assert [t and t.name for t in tables] == [None, "hospital 2026-01", "hospital 2026-04"]
    assert ncci.units("practitioner", 20260601) is None


def test_nothing_is_changed_when_one_of_several_files_is_damaged(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    good = files.pair_file(tmp_path / "ccioph-v321r0-f1.txt")
    bad = files.pair_file(tmp_path / "ccioph-v321r0-f2.txt", [("10000", "1", "", "20200101", "*", "0")])
    with pytest.raises(TerminologyError):
        take(cache, good, bad)
    assert held_in(cache / FOLDER) == []


def test_status_names_the_imports(tmp_path: Path, store: Store) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / store.folder.name).symlink_to(store.folder)
    take(cache, files.add_on_file(tmp_path / "AOC_V2026Q2-MCR.txt"))
    [record] = [i for i in terminology_status(cache).imports if i.kind.startswith("ncci")]
    assert (record.kind, record.edition, record.rows) == ("ncci-add-ons", "2026-04", 5)


def test_a_damaged_import_is_named(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    take(cache, files.add_on_file(tmp_path / "AOC_V2026Q2-MCR.txt"))
    [head] = (cache / FOLDER).glob("*/head.json")
    head.write_text("{}")
    with pytest.raises(TerminologyError, match="damaged: delete it"):
        held_in(cache / FOLDER)


# -- the family over imported tables ---------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Store:
    """The index beside imports of every table."""
    from copy import copy

    folder, cache = tmp_path_factory.mktemp("ncci"), tmp_path_factory.mktemp("cache")
    take(
        cache,
        files.pair_file(folder / "ccipra-v321r0-f1.txt", files.PAIRS[:1]),
        files.pair_file(folder / "ccioph-v321r0-f1.txt", files.PAIRS[1:]),
        files.add_on_file(folder / "AOC_V2026Q2-MCR.txt"),
        *(files.unit_file(folder / f"{kind}_Eff_04-01-2026.csv", kind) for kind in files.UNIT_HEADS),
    )
    other = copy(store)
    other.ncci = ncci_of(store, cache)
    return other


def check(site: Store, setting: Setting, *codes: str, units: int | None = None) -> list[tuple[str, tuple[str, ...]]]:
    lines = tuple(CodedLine("hcpcs" if c[0].isalpha() else "cpt", c, units=units) for c in codes)
    case = Case(Encounter(lines, setting, date(2026, 6, 1)), site)
    return [(f.rule, f.codes) for f in check_ncci(case)]


def test_practitioner_pairs_are_those_of_an_office_visit(site: Store) -> None:
    assert check(site, "outpatient", "10000", "10001") == [("ncci.pair", ("10000", "10001"))]
    assert check(site, "emergency", "10000", "10001") == []
    assert check(site, "outpatient", "10000", "A1000") == []
    assert check(site, "emergency", "A1000", "10000") == [("ncci.pair", ("10000", "A1000"))]


def test_editions_name_the_tables_used(site: Store) -> None:
    service = (CodedLine("cpt", "10000"),)
    office = ncci_editions(Case(Encounter(service, "outpatient", date(2026, 6, 1)), site))
    assert office == {
        "ncci-pairs": "practitioner 2026-04",
        "ncci-add-ons": "2026-04",
        "ncci-mue": "practitioner 2026-04, supplier 2026-04",
    }
    assert ncci_editions(Case(Encounter(service, "emergency"), site))["ncci-pairs"] == "hospital 2026-04"
    assert ncci_editions(Case(Encounter((CodedLine("icd-10-cm", "I10"),)), site)) == {}


def test_imported_unit_limits_and_add_ons(site: Store) -> None:
    assert check(site, "outpatient", "10000", "10000") == [("ncci.mue", ("10000",))]
    assert check(site, "outpatient", "A1000", units=3) == []
    assert check(site, "outpatient", "A1000", units=4) == [("ncci.mue", ("A1000",))]
    assert check(site, "outpatient", "10001") == [("ncci.add-on", ("10001",))]
    assert check(site, "outpatient", "10004") == [("ncci.add-on", ("10004",))]
    assert check(site, "outpatient", "10004", "99213") == []
    gone = [("ncci.add-on", ("10001",)), ("ncci.mue", ("10002",))]  # a primary code until 2025; a limit of no unit
    assert check(site, "emergency", "10001", "10002") == gone


def test_odd_codes_and_modifiers_are_no_failure(store: Store) -> None:
    lines = (CodedLine("cpt", "9921"), CodedLine("cpt", ""), CodedLine("hcpcs", "é1000", modifiers=("2", "255")))
    findings = list(check_ncci(Case(Encounter(lines), store)))
    assert [f.rule for f in findings] == ["ncci.modifier"] * 2


# -- speed -----------------------------------------------------------------------------------------


def best(call: Callable[[], object], times: int = 30) -> float:
    """The median of some calls, in seconds, after a first one."""
    call()
    out = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        out.append(time.perf_counter() - start)
    return median(out)


def test_a_claim_of_twenty_lines_is_looked_up_in_a_moment(store: Store) -> None:
    keys = store.ncci.hospital.rows.key
    codes = np.unique(keys >> np.uint64(26))[:: len(keys) // 6000][:20].tolist()
    assert len(codes) == 20
    assert best(lambda: store.ncci.hospital.among(codes, 20260601)) < 0.005


def test_a_lookup_hardly_depends_on_the_size_of_the_table() -> None:
    """Twenty times as many pairs: a linear lookup would take twenty times as long."""
    random = np.random.default_rng(1)

    def table(rows: int) -> PairTable:
        keys = random.integers(0, 1 << 52, rows, dtype=np.uint64)
        return PairTable("test", Pairs.of(keys, np.zeros(rows), np.full(rows, 99991231), np.zeros(rows)))

    codes = random.integers(0, 1 << 26, 20).tolist()
    small, large = table(60_000), table(1_200_000)
    assert best(lambda: large.among(codes, 20260601)) < 5 * best(lambda: small.among(codes, 20260601))


def test_unit_limits_are_found_by_code() -> None:
    from codeassist.terminology.ncci.tables import UnitTable

    table = UnitTable("test", Units.of(numbers("10000", "A1000"), [1, 3], [2, 3]))
    assert [table.limit(code_number(c)) is not None for c in ("10000", "A1000", "99999", "00100", "x")] == [
        True,
        True,
        False,
        False,
        False,
    ]


_IMPORT = """
import sys, time
from pathlib import Path
from codeassist.terminology.importing import import_files
start = time.perf_counter()
report = import_files([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), minimum=1)
# the peak of this process alone: what getrusage tells may be that of the process that started it
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(time.perf_counter() - start, peak, sum(i.rows for i in report.imports))
"""


def timed_import(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and peak megabytes of the import of ``rows`` pairs in both tables, in a process of its own."""
    paths = [
        *files.many_pairs(folder, rows // 2, table="ccipra"),
        *files.many_pairs(folder, rows // 2, table="ccioph", seed=2),
    ]
    command = [sys.executable, "-c", _IMPORT, str(folder / "cache"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes, taken = map(float, done.stdout.split())
    assert taken == rows
    return seconds, megabytes


def test_sixty_thousand_pairs_are_imported_in_their_share_of_a_minute(tmp_path: Path) -> None:
    seconds, megabytes = timed_import(tmp_path, 60_000)
    assert seconds < 10 and megabytes < 1000


@pytest.mark.bars
@pytest.mark.slow
def test_whole_tables_are_imported_within_a_minute_and_a_gigabyte(tmp_path: Path, store: Store) -> None:
    seconds, megabytes = timed_import(tmp_path, WHOLE)
    ncci = ncci_of(store, tmp_path / "cache")
    codes = np.unique(ncci.hospital.rows.key >> np.uint64(26))[::600].tolist()
    lookup = best(lambda: ncci.hospital.among(codes, 20260601))
    print(f"\n{WHOLE:,} pairs: {seconds:.1f} s, {megabytes:.0f} MB; {len(codes)} lines: {lookup * 1000:.3f} ms")
    assert len(codes) == 20
    assert seconds < 60 and megabytes < 1000 and lookup < 0.005
