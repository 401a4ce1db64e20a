"""/metrics: what it says, to whom, and that nothing of a note is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.auth import accounts
from api.auth.passwords import Passwords
from api.settings import ApiSettings
from api.store.database import open_database
from codeassist import Note

STAGES = {"wait", "read", "propose", "rank", "explain", "rules"}
TOKEN = "a-token-for-the-scraper"


def value(text: str, name: str, **labels: str) -> float:
    """The value of a sample, 0 where there is none."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found)


@pytest.fixture
def here(assistant: Any) -> Iterator[TestClient]:
    """A service in process whose callers are on this machine."""
    app = create_app(ApiSettings(), load=lambda: assistant)
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        while client.get("/readyz").status_code != 200:
            pass
        yield client


def test_requests_are_counted_by_route_and_never_by_path(here: TestClient) -> None:
    note = {"id": "MRN-4711-Zebedee", "text": "Zebedee has gout.", "date_of_service": "2026-03-02"}
    before = here.get("/metrics").text
    here.post("/v1/suggestions", json=note)
    here.get("/v1/codes/icd-10-cm/M10.9")
    here.get("/v1/codes", params={"q": "Zebedee"})
    here.get("/Zebedee/nothing")
    here.request("ZEBEDEE", "/v1/codes")
    here.post("/v1/suggestions", content=b"{Zebedee")
    text = here.get("/metrics").text

    def more(**labels: str) -> float:
        name = "codeassist_requests_total"
        return value(text, name, **labels) - value(before, name, **labels)

    assert more(route="/v1/suggestions", method="POST", status="200") == 1
    assert more(route="/v1/suggestions", method="POST", status="415") == 1
    assert more(route="/v1/codes/{system}/{code}", method="GET", status="200") == 1
    assert more(route="-", status="404") == 1
    assert more(method="other") == 1
    assert not [word for word in ("zebedee", "mrn-", "m10.9") if word in text.lower()]
    for stage in STAGES:
        name = "codeassist_stage_seconds_count"
        assert value(text, name, stage=stage) - value(before, name, stage=stage) >= 1, stage
    assert value(text, "codeassist_model_info") >= 1
    assert value(text, "codeassist_queue_length") == 0


def test_the_observer_changes_no_result(assistant: Any) -> None:
    note = Note("Gout. HTN.", id="a")
    seen: list[str] = []
    kept, assistant.observer = assistant.observer, None
    try:
        plain = assistant.suggest(note).as_record()
        assistant.observer = lambda stage, begin, end: seen.append(stage)
        assert assistant.suggest(note).as_record() == plain
    finally:
        assistant.observer = kept
    assert seen == ["read", "propose", "rank", "explain", "rules"]


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 401),
        ("10.0.0.7", {}, 401),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}x"}, 401),
        ("10.0.0.7", {"Authorization": "Bearer "}, 401),
        ("10.0.0.7", {"Authorization": f"Basic {TOKEN}"}, 401),
    ],
)
def test_who_may_read(tmp_path: Path, assistant: Any, peer: str, headers: dict[str, str], status: int) -> None:
    url = f"sqlite:///{tmp_path / 'accounts.sqlite3'}"
    database = open_database(url)
    with database.writing() as session:
        accounts.add(session, "cli:test", "anne", Passwords(1, 64).hash("blue kettle on a windy hill"), ["coder"])
    database.close()
    settings = ApiSettings(database_url=url, metrics_token=TOKEN, allowed_hosts=frozenset())  # type: ignore[arg-type]
    app = create_app(settings, load=lambda: assistant)
    with TestClient(app, base_url="http://127.0.0.1", client=(peer, 50000)) as client:
        assert client.get("/metrics", headers=headers).status_code == status
