"""The index of this machine, and one into which every kind of file was imported."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from codeassist.terminology.access import open_store
from codeassist.terminology.codes import UNTITLED
from codeassist.terminology.editions import edition_days, shipped_codes
from codeassist.terminology.importing import ImportReport, import_files
from codeassist.terminology.sources.carriers import TABULAR, carrier_path
from codeassist.terminology.store import Store

sys.path.insert(0, str(Path(__file__).parent))

import published


@pytest.fixture(scope="session")
def store() -> Store:
    return open_store()


@dataclass(frozen=True)
class Site:
    """A site that has imported one file of each kind."""

    cache: Path
    files: dict[str, Path]
    report: ImportReport
    store: Store


def sample_files(folder: Path) -> dict[str, Path]:
    """One small file of each format, by a short name."""
    texts = {
        "icd10cm_index_2026.xml": published.INDEX.format(year=2026),
        "icd10cm_eindex_2026.xml": published.EXTERNAL.format(year=2026),
        "icd10cm_drug_2026.xml": published.DRUGS.format(year=2026),
        "icd10cm_neoplasm_2026.xml": published.NEOPLASMS.format(year=2026),
        "icd10pcs_definitions_2026.xml": published.PCS_DEFINITIONS.format(year=2026),
        "icd10pcs_index_2026.xml": published.PCS_INDEX.format(year=2026),
        "HCPC2026_APR_ANWEB.txt": published.hcpcs_text(),
        "LONGULT.txt": published.CPT_LONG,
        "2018_I9gem.txt": published.GEMS,
    }
    out = {}
    for name, text in texts.items():
        out[name] = folder / name
        out[name].write_text(text, encoding="utf-8", newline="")
    return out


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return sample_files(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def order_2027(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Path:
    """An order file of FY2027 as large as the real one: the codes by their dates, titles ours where we have none."""
    day = edition_days("icd-10-cm")[-1]
    titles = []
    for code in sorted(shipped_codes("icd-10-cm", day)):
        entry = store.get("icd-10-cm", code)
        assert entry is not None
        titles.append((code, f"Title of {code} in this test" if entry.display == UNTITLED else entry.display))
    return published.order_file(tmp_path_factory.mktemp("order") / "icd10cm_order_2027.txt", titles)


@pytest.fixture(scope="session")
def tabular_2028(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("tabular") / "icd10cm_tabular_2028.xml"
    ended = shipped_codes("icd-10-cm", date(2026, 4, 1)) - shipped_codes("icd-10-cm", date(2026, 10, 1))
    return published.tabular_of_another_year(carrier_path(TABULAR), target, 2028, True, ended)


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, samples: dict[str, Path], order_2027: Path, tabular_2028: Path
) -> Site:
    cache = tmp_path_factory.mktemp("cache")
    report = import_files([*samples.values(), order_2027, tabular_2028], cache, minimum=1)
    return Site(cache, samples, report, Store(report.index))
