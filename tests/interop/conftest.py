"""An EHR and the service, both live, that know each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import fake_ehr
import pytest
from live_service import JWKS, Service, serve_with, serving

if TYPE_CHECKING:
    pass

CONFIG = """
cors_origins = ["https://ehr.example"]
allowed_servers = ["{ehr}/fhir", "{ehr}/files"]
max_fetch_bytes = 200000
fetch_seconds = 1.5

[cds_clients."https://cds.example"]
jwks_url = "{ehr}/jwks"

[smart_clients.loader]
jwks = "{jwks}"
scopes = ["system/DocumentReference.read", "system/ValueSet.read"]

[smart_clients.archive]
jwks_url = "{ehr}/jwks"
scopes = ["system/*.read"]

[smart_ehrs."{ehr}/fhir"]
client_id = "codeassist"
client_secret = "s3cret"
"""
OPEN = """
allowed_servers = ["{ehr}/fhir", "{ehr}/files"]
max_fetch_bytes = 200000
fetch_seconds = 1.5
"""


@pytest.fixture(scope="session")
def ehr_state() -> fake_ehr.Ehr:
    return fake_ehr.Ehr()


@pytest.fixture
def ehr(ehr_state: fake_ehr.Ehr) -> fake_ehr.Ehr:
    """The EHR as it is at first, whatever the test before has changed."""
    ehr_state.__dict__.update(fake_ehr.Ehr().__dict__)
    return ehr_state


@pytest.fixture(scope="session")
def ehr_url(ehr_state: fake_ehr.Ehr) -> Iterator[str]:
    with serving(fake_ehr.make_app(ehr_state)) as url:
        yield url


@pytest.fixture(scope="session")
def service(assistant: Any, ehr_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service of a site that has set who is trusted."""
    folder = tmp_path_factory.mktemp("interop")
    (folder / "jwks.json").write_text(json.dumps(JWKS))
    config = CONFIG.format(ehr=ehr_url, jwks=folder / "jwks.json")
    with serve_with(assistant, folder, config) as made:
        yield made


@pytest.fixture(scope="session")
def open_service(assistant: Any, ehr_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service on one's own machine: nobody is named as trusted, and so everybody there may call."""
    folder = tmp_path_factory.mktemp("interop-open")
    with serve_with(assistant, folder, OPEN.format(ehr=ehr_url)) as made:
        yield made
