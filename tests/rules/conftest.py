"""The index of this machine, beside which a site has imported unit limits: none are shipped.

The limits are made up for these tests; they are not CMS's.
"""

from __future__ import annotations

from copy import copy

import pytest

from codeassist.terminology.access import open_store
from codeassist.terminology.importing import import_file
from codeassist.terminology.ncci.store import FOLDER, Ncci
from codeassist.terminology.store import Store

LIMITS = (
    ("HCPCS/CPT Code", "Outpatient Hospital Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale"),
    ("96372", "4", "3 Date of Service Edit: Clinical", "made up"),
    ("97110", "6", "3 Date of Service Edit: Clinical", "made up"),
    ("45385", "1", "2 Date of Service Edit: Policy", "made up"),
    ("71046", "2", "1 Line Edit", "made up"),
)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    cache = tmp_path_factory.mktemp("site")
    file = cache / "MCR_MUE_OutpatientHospitalServices_Eff_04-01-2026.csv"
    file.write_text("".join(",".join(row) + "\r\n" for row in LIMITS), encoding="utf-8")
    import_file(file, cache, minimum=1)
    store = copy(open_store())
    store.ncci = Ncci(store.folder, cache / FOLDER)
    return store
