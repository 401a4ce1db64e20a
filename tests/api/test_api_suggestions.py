"""POST /v1/suggestions: a note or an encounter in, a result out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.examples import examples
from codeassist.result import CodingResult

NOTE = "Assessment: Type 2 diabetes mellitus, on metformin. Essential hypertension.\nDenies chest pain."


def texts_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [e for s in (*result["suggestions"], *result["discarded"]) for e in s["evidence"]]


def post(client: TestClient, record: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/v1/suggestions", json=record)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    result: dict[str, Any] = response.json()
    return result


def test_a_note_gets_the_designs_result(client: TestClient) -> None:
    result = post(client, {"id": "n-1", "text": NOTE, "setting": "outpatient", "date_of_service": "2026-03-02"})
    assert (result["id"], result["setting"], result["date_of_service"]) == ("n-1", "outpatient", "2026-03-02")
    assert result["model"].keys() == {"name", "version", "sha256"}
    assert result["terminology"]["icd-10-cm"]
    assert {"E11.9", "I10"} <= {s["code"] for s in result["suggestions"]}
    assert [s["rank"] for s in result["suggestions"]] == list(range(1, len(result["suggestions"]) + 1))


def test_the_result_has_the_shape_that_openapi_promises(client: TestClient) -> None:
    TypeAdapter(CodingResult).validate_python(post(client, {"text": NOTE}))


def test_a_patient_and_every_other_field_is_taken(client: TestClient) -> None:
    record = {
        "id": 7,
        "text": NOTE,
        "note_type": "progress",
        "specialty": "family medicine",
        "patient": {"id": "p", "age": 61, "sex": "female"},
    }
    assert post(client, record)["id"] == "7"


def test_an_encounter_merges_its_documents_and_names_them(client: TestClient) -> None:
    documents = [
        {"id": "visit", "note_type": "progress", "text": "Assessment: Type 2 diabetes mellitus."},
        {
            "id": "consult",
            "note_type": "consult",
            "text": "Assessment: type 2 diabetes mellitus; essential hypertension.",
        },
    ]
    result = post(client, {"documents": documents, "date_of_service": "2026-03-02"})
    codes = [s["code"] for s in result["suggestions"]]
    assert len(codes) == len(set(codes)), "no code twice"
    by_code = {s["code"]: {e["document"] for e in s["evidence"]} for s in result["suggestions"]}
    assert by_code["E11.9"] == {"visit", "consult"}
    assert by_code["I10"] == {"consult"}
    texts = {d["id"]: d["text"] for d in documents}
    for e in texts_of(result):
        assert texts[e["document"]][e["start"] : e["end"]] == e["text"]


def test_the_same_note_gives_the_same_bytes(client: TestClient) -> None:
    record = {"text": NOTE, "date_of_service": "2026-03-02"}
    first, second = (client.post("/v1/suggestions", json=record).content for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        "🩺 Seen today 👩‍⚕️.\nAssessment: Type 2 diabetes mellitus 🎉. Essential hypertension 🫀.",
        "Re\u0301sume\u0301 of visit: assessment: Type 2 diabetes mellitus, nai\u0308ve to insulin.",
        "שלום patient مرحبا.\nAssessment: Type 2 diabetes mellitus. \u202eHypertension\u202c.",
        "Seen today.\r\nAssessment:\r\n1. Type 2 diabetes mellitus\r\n2. Essential hypertension\r\n",
        "Seen\x00 today\x07.\nAssessment: Type 2 diabetes mellitus.\x0b\x1b[0m Essential hypertension.\x00",
        "\ufeffAssessment: Type 2 diabetes mellitus.\u200b\u2028Essential hypertension.",
    ],
    ids=["emoji", "combining", "right-to-left", "crlf", "nul-and-control", "invisible"],
)
def test_offsets_quote_the_text_exactly(client: TestClient, text: str) -> None:
    result = post(client, {"text": text, "date_of_service": "2026-03-02"})
    evidence = texts_of(result)
    assert any("diabetes" in e["text"].lower() for e in evidence)
    for e in evidence:
        assert text[e["start"] : e["end"]] == e["text"]
        cue = e["assertion"].get("cue")
        assert cue is None or text[cue["start"] : cue["end"]] == cue["text"]


@pytest.mark.parametrize("day", ["1999-01-01", "2018-06-01", "2061-01-01"])
def test_a_date_outside_all_releases_is_coded_with_a_warning(client: TestClient, day: str) -> None:
    usual = post(client, {"text": NOTE, "date_of_service": "2026-03-02"})
    result = post(client, {"text": NOTE, "date_of_service": day})
    assert result["suggestions"], "coded by the nearest release"
    known = {f["rule"] for f in usual["findings"]}
    assert [f for f in result["findings"] if f["level"] == "warning" and f["rule"] not in known]


def test_a_note_of_a_megabyte_works(client: TestClient) -> None:
    text = (NOTE + "\n" + "The wound is clean and dry today. " * 30 + "\n") * 950
    assert len(text) > 1_000_000
    result = post(client, {"text": text, "date_of_service": "2026-03-02"})
    assert "E11.9" in {s["code"] for s in result["suggestions"]}


def test_a_byte_order_mark_before_the_json_is_left_out(client: TestClient) -> None:
    response = client.post(
        "/v1/suggestions", content=b'\xef\xbb\xbf{"text": "Gout."}', headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 200


def test_notes_that_are_read_at_the_same_time_do_not_mix(client: TestClient) -> None:
    records = [
        {"id": e.id, "text": e.note.text, "setting": e.note.setting, "date_of_service": "2026-03-02"}
        for e in examples()
    ]

    def code(record: dict[str, Any]) -> bytes:
        response: bytes = client.post("/v1/suggestions", json=record).content
        return response

    alone = [code(record) for record in records]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(code, records * 4))
    assert together == alone * 4
