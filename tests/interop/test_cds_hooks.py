"""CDS Hooks 2.0 against the live service: discovery, the three hooks, cards, feedback."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import fake_ehr
import pytest
from fake_ehr import ENCOUNTER, PATIENT, condition, document, searchset
from fhir.resources.R4B.condition import Condition as R4BCondition
from fhirclient.models.condition import Condition as ClientCondition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_service import claims, signed

from api.interop.cds.cards import suggestion_card
from api.interop.fhir.writing import Coded
from api.reviews.exports import audited
from api.reviews.final import final_of
from api.store.reviews import ReviewRow

ISSUER = "https://cds.example"
DISCHARGE = "/cds-services/encounter-discharge"
ALLOWED_CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
    "systemActions",
}  # fmt: skip


def prefetched(*documents: dict[str, Any], conditions: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "patient": PATIENT,
        "encounter": ENCOUNTER,
        "documents": searchset(*(documents or (document("d1"),))),
        "conditions": searchset(*conditions),
    }


def call(service: Any, hook: str = "encounter-discharge", **fields: Any) -> Any:
    body = {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/9", "patientId": "1", "encounterId": "e1"},
        **fields,
    }
    body = {name: value for name, value in body.items() if value is not None}
    return service.client.post(f"/cds-services/{hook}", json=body, headers=bearer(service, f"/cds-services/{hook}"))


def bearer(service: Any, path: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed(claims(ISSUER, service.url + path))}"}


def cards_of(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.json()["cards"]
    for card in cards:
        check_card(card)
    return cards


def check_card(card: dict[str, Any]) -> None:
    """What the standard asks of every card."""
    assert card.keys() <= ALLOWED_CARD
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    assert "null" not in json.dumps(card)
    assert ("selectionBehavior" in card) == ("suggestions" in card)
    assert all(r.keys() == {"code", "system", "display"} for r in card["overrideReasons"])
    for suggestion in card.get("suggestions", ()):
        uuid.UUID(suggestion["uuid"])
        for action in suggestion["actions"]:
            assert action["type"] == "create" and action["description"]
            R4BCondition.model_validate(action["resource"])
            made = ClientCondition(action["resource"])
            assert made.verificationStatus.coding[0].code == "provisional"
            assert made.subject.reference == "Patient/1"


def codes(card: dict[str, Any]) -> list[str]:
    return [s["actions"][0]["resource"]["code"]["coding"][0]["code"] for s in card["suggestions"]]


def test_discovery_lists_each_service_with_templates_that_name_only_the_context(service: Any) -> None:
    found = service.client.get("/cds-services").json()["services"]
    assert {s["hook"] for s in found} == {"encounter-discharge", "problem-list-item-create", "patient-view"}
    for row in found:
        assert row["id"] and row["title"] and row["description"]
        assert {"patient", "documents", "conditions"} <= row["prefetch"].keys()


def test_a_discharge_gets_the_diagnoses_that_the_problem_list_lacks(service: Any, ehr: fake_ehr.Ehr) -> None:
    card = cards_of(call(service, prefetch=prefetched(conditions=(condition("I10"),))))[0]
    assert "E11.9" in codes(card) and "G47.33" in codes(card) and "I10" not in codes(card)
    assert card["selectionBehavior"] == "any"
    assert "Type 2 diabetes mellitus" in card["detail"]
    again = cards_of(call(service, prefetch=prefetched(conditions=(condition("I10", "resolved"),))))[0]
    assert "I10" in codes(again), "a problem that is resolved is not on the list"
    assert card["links"] == again["links"], "the same documents are put to review once"
    link = card["links"][0]
    assert link["type"] == "absolute" and link["url"].startswith(f"{service.url}/reviews/")
    review = service.client.get(f"/v1/reviews/{link['url'].rsplit('/', 1)[1]}").json()
    assert review["note"]["patient"]["sex"] == "F" and review["note"]["date_of_service"] == "2026-03-02"
    assert review["note"]["text"] == fake_ehr.TEXT


def test_what_is_not_prefetched_is_fetched_page_by_page(service: Any, ehr: fake_ehr.Ehr, ehr_url: str) -> None:
    second = "Assessment: Gout of the left foot, on colchicine."
    ehr.documents.append(document("d2", second))
    access = {"access_token": fake_ehr.TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read",
              "subject": "cds"}  # fmt: skip
    response = call(service, fhirServer=f"{ehr_url}/fhir", fhirAuthorization=access)
    (card,) = cards_of(response)
    assert "E11.9" in codes(card) and "I10" not in codes(card) and any(c.startswith("M1") for c in codes(card))
    assert ("/fhir/Patient/1", f"Bearer {fake_ehr.TOKEN}") in ehr.asked


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "no fhirServer is given"),
        ({"prefetch": {"patient": PATIENT, "encounter": ENCOUNTER}}, "lacks documents"),
        ({"prefetch": {**prefetched(), "patient": None}}, "lacks patient"),
        ({"fhirServer": "http://169.254.169.254/latest"}, "not among the servers"),
        ({"fhirServer": "{ehr}/private"}, "not among the servers"),
        ({"fhirServer": "{ehr}/fhir"}, "status 401"),
    ],
)
def test_without_the_data_a_call_is_answered_with_412(
    service: Any, ehr: fake_ehr.Ehr, ehr_url: str, fields: dict[str, Any], words: str
) -> None:
    fields = {k: v.format(ehr=ehr_url) if isinstance(v, str) else v for k, v in fields.items()}
    response = call(service, **fields)
    assert response.status_code == 412, response.text
    assert words in response.json()["detail"]


def test_a_view_of_a_chart_without_documents_has_no_cards(service: Any) -> None:
    given = {"patient": PATIENT, "documents": searchset(), "conditions": searchset()}
    context = {"userId": "Practitioner/9", "patientId": "1"}
    assert cards_of(call(service, "patient-view", prefetch=given, context=context)) == []


def test_a_view_of_a_chart_gets_a_card(service: Any) -> None:
    context = {"userId": "Practitioner/9", "patientId": "1"}
    (card,) = cards_of(call(service, "patient-view", prefetch=prefetched(), context=context))
    assert {"E11.9", "I10"} <= set(codes(card))
    assert "encounter" not in card["suggestions"][0]["actions"][0]["resource"]


def test_a_new_problem_gets_codes_for_its_wording_and_a_warning_for_a_category(service: Any) -> None:
    new = condition("E11")
    new["code"]["text"] = "Obstructive sleep apnea"
    context = {"userId": "Practitioner/9", "patientId": "1", "conditions": searchset(new)}
    given = {"patient": PATIENT, "conditions": searchset()}
    warning, card = cards_of(call(service, "problem-list-item-create", prefetch=given, context=context))
    assert warning["indicator"] == "warning" and "E11 " in warning["summary"] and "category" in warning["summary"]
    assert codes(card) == ["G47.33"]


def test_a_document_that_can_not_be_read_does_not_hide_the_others(service: Any) -> None:
    broken = document("d9")
    broken["content"] = [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0="}}]
    card = cards_of(call(service, prefetch=prefetched(document("d1"), broken)))[0]
    assert "could not be read: 1" in card["detail"]


def test_the_words_of_a_note_are_no_mark_up() -> None:
    quote = "gout](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n# big | x"
    evidence = {"start": 0, "end": 4, "text": quote, "section": "", "assertion": {"status": "present"}}
    item = {"system": "icd-10-cm", "code": "M10.9", "display": "Gout, unspecified", "probability": 0.9, "rank": 1,
            "tier": "code", "evidence": [evidence]}  # fmt: skip
    coded = Coded("note", "outpatient", "2026-03-02", {}, {}, [item], [], {"subject": "Patient/1"})
    made = suggestion_card(coded, "https://codeassist.example/reviews/1", {"label": "codeassist"})
    assert made is not None
    check_card(made.card)
    row = made.card["detail"].split("\n")[2]
    assert len(made.card["detail"].split("\n")) == 3
    plain = re.sub(r"\\.", "", row)
    assert not re.search(r"[<>\[\]()#]", plain) and plain.count("|") == 5


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"hookInstance": "7"}, 422),
        ({"hook": "order-sign"}, 422),
        ({"context": {"userId": "Practitioner/9", "patientId": "1"}, "prefetch": prefetched()}, 422),
        ({"context": {"userId": "Practitioner/9", "patientId": "1/../2", "encounterId": "e1"}}, 422),
        ({"context": {"userId": "x", "patientId": "2", "encounterId": "e1"}, "prefetch": prefetched()}, 422),
        ({"prefetch": {**prefetched(), "documents": {"resourceType": "Bundle", "entry": 7}}}, 422),
        ({"prefetch": {**prefetched(), "documents": searchset({"resourceType": "DocumentReference"})}}, 422),
    ],
)
def test_what_is_no_call_of_the_hook_is_refused(service: Any, fields: dict[str, Any], status: int) -> None:
    body = {
        "hook": "encounter-discharge",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/9", "patientId": "1", "encounterId": "e1"},
        **fields,
    }
    response = service.client.post(DISCHARGE, json=body, headers=bearer(service, DISCHARGE))
    assert response.status_code == status, response.text


def test_an_unknown_service_is_not_found(service: Any) -> None:
    path = "/cds-services/order-sign"
    assert service.client.post(path, json={}, headers=bearer(service, path)).status_code == 404


def feedback(service: Any, **fields: Any) -> int:
    path = f"{DISCHARGE}/feedback"
    row = {"outcomeTimestamp": "2026-03-02T10:00:00Z", **fields}
    response = service.client.post(path, json={"feedback": [row]}, headers=bearer(service, path))
    status: int = response.status_code
    return status


def test_feedback_is_kept_as_decisions_that_training_reads(service: Any, ehr: fake_ehr.Ehr) -> None:
    text = "Assessment and Plan:\n1. Obstructive sleep apnea, on CPAP.\n2. Type 2 diabetes mellitus, on metformin."
    given = prefetched(document("f1", text))
    first, second = (cards_of(call(service, prefetch=given))[0] for _ in range(2))
    taken = next(s["uuid"] for s, c in zip(first["suggestions"], codes(first), strict=True) if c == "E11.9")
    assert feedback(service, card=first["uuid"], outcome="accepted", acceptedSuggestions=[{"id": taken}]) == 200
    reason = {"reason": {"code": "not-treated-here"}, "userComment": "seen elsewhere"}
    assert feedback(service, card=second["uuid"], outcome="overridden", overrideReason=reason) == 200
    assert feedback(service, card=str(uuid.uuid4()), outcome="overridden") == 200
    assert feedback(service, card="no uuid", outcome="overridden") == 422
    assert feedback(service, card=first["uuid"], outcome="liked") == 422
    number = int(first["links"][0]["url"].rsplit("/", 1)[1])
    submit(service, number, "E11.9")
    with service.database.reading() as session:
        review = session.get(ReviewRow, number).load()
        assert [r.outcome for r in review.feedback] == ["accepted", "overridden"]
        assert review.feedback[1].details["overrideReason"]["userComment"] == "seen elsewhere"
        (line,) = audited(iter([final_of(session, review)]))
    record = json.loads(line)
    assert [c["code"] for c in record["codes"]] == ["E11.9"]
    assert {"system": "icd-10-cm", "code": "G47.33"} in record["rejected"]
    assert {"system": "icd-10-cm", "code": "E11.9"} not in record["rejected"]
    assert record["feedback"]["accepted"] == [{"system": "icd-10-cm", "code": "E11.9"}]


def submit(service: Any, number: int, code: str) -> None:
    version = service.client.post(f"/v1/reviews/{number}/open", json={}).json()["version"]
    body = {"version": version, "kind": "accepted", "system": "icd-10-cm", "code": code}
    state = service.client.post(f"/v1/reviews/{number}/decisions", json=body).json()
    errors = [f for f in state["findings"] if f["level"] == "error"]
    overrides = [{"rule": f["rule"], "codes": f["codes"], "reason": "test"} for f in errors]
    body = {"version": state["version"], "overrides": overrides}
    assert service.client.post(f"/v1/reviews/{number}/submit", json=body).status_code == 200


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "entry", "resource", "subject", "reference", "code", "coding", "content"]),
            inner | st.sampled_from(["Bundle", "Condition", "DocumentReference", "Basic"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["patient", "encounter", "documents", "conditions"]), ODD), ODD)
def test_no_prefetch_brings_the_service_down(open_service: Any, odd: dict[str, Any], conditions: Any) -> None:
    body = {
        "hook": "problem-list-item-create",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/9", "patientId": "1", "conditions": conditions},
        "prefetch": {"patient": PATIENT, **odd},
    }
    response = open_service.client.post("/cds-services/problem-list-item-create", json=body)
    assert response.status_code in (200, 412, 413, 422), response.text


def test_a_resource_of_no_type_that_is_read_is_passed_over(open_service: Any) -> None:
    odd = {"resourceType": "Basic", "subject": "x", "code": 7}
    given_too = {**prefetched(), "conditions": searchset(odd), "documents": searchset(document("d1"), odd)}
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/9", "patientId": "1"},
        "prefetch": given_too,
    }
    assert cards_of(open_service.client.post("/cds-services/patient-view", json=body))
