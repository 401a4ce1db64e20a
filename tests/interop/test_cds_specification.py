"""The flow of the CDS Hooks 2.0 specification with the values of its examples: discovery, a call with and without what
the service needs, feedback of each kind, and the client's JWT. The resources hold a note, which the examples lack."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from live_service import claims, signed
from sqlalchemy import select

from api.store.interop import FeedbackRow

ISSUER = "https://cds.example"
PATIENT = {
    "resourceType": "Patient", "gender": "male", "birthDate": "1925-12-23", "id": "1288992", "active": True,
}  # fmt: skip
NOTE = base64.b64encode(b"Assessment: Essential hypertension, stable. Gout.").decode()
DOCUMENTS = {
    "resourceType": "Bundle",
    "type": "searchset",
    "entry": [
        {
            "resource": {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": {"reference": "Patient/1288992"},
                "content": [{"attachment": {"contentType": "text/plain", "data": NOTE}}],
            }
        }
    ],
}
PREFETCH = {"patient": PATIENT, "documents": DOCUMENTS, "conditions": None}
AUTHORIZATION = {
    "access_token": "some-opaque-fhir-access-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Patient.read user/Observation.read",
    "subject": "cds-service4",
}
PROBLEM = {
    "resourceType": "Condition",
    "id": "123",
    "subject": {"reference": "Patient/1288992"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}], "text": "Essential hypertension"},
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "patient-view": {"userId": "PractitionerRole/123", "patientId": "1288992", "encounterId": "456"},
    "encounter-discharge": {"userId": "PractitionerRole/A2340113", "patientId": "1288992", "encounterId": "456"},
    "problem-list-item-create": {
        "userId": "Practitioner/123",
        "patientId": "1288992",
        "encounterId": "456",
        "conditions": {"resourceType": "Bundle", "entry": [{"resource": PROBLEM}]},
    },
}
ENCOUNTER = {
    "resourceType": "Encounter", "id": "456", "status": "in-progress", "class": {"code": "AMB"},
    "subject": {"reference": "Patient/1288992"},
}  # fmt: skip


def post(service: Any, path: str, body: dict[str, Any]) -> Any:
    header = {"jku": None} if path.endswith("feedback") else {}
    token = signed(claims(ISSUER, service.url + path, jti="ee22b021-" + str(id(body)) + path), **header)
    return service.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def call(service: Any, hook: str, **fields: Any) -> Any:
    body = {"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": CONTEXTS[hook], **fields}
    return post(service, f"/cds-services/{hook}", body)


@pytest.mark.parametrize("hook", CONTEXTS)
def test_each_hook_is_discovered_and_answered_with_a_card(service: Any, hook: str) -> None:
    listed = {s["hook"]: s for s in service.client.get("/cds-services").json()["services"]}
    assert listed[hook].keys() == {"hook", "title", "description", "id", "prefetch", "usageRequirements"}
    prefetch = {**PREFETCH, "encounter": ENCOUNTER}
    response = call(service, hook, prefetch=prefetch)
    assert response.status_code == 200, response.text
    (card,) = response.json()["cards"]
    offered = [s["actions"][0]["resource"]["code"]["coding"][0]["code"] for s in card["suggestions"]]
    assert "I10" in offered
    assert all(s["actions"][0]["resource"]["subject"]["reference"] == "Patient/1288992" for s in card["suggestions"])
    assert card["selectionBehavior"] == "any" and card["links"][0]["type"] == "absolute" and card["source"]["label"]


def test_the_example_call_without_what_the_service_needs_gets_412(service: Any) -> None:
    greeting = {"patientToGreet": PATIENT}
    server = {"fhirServer": "http://hooks.smarthealthit.org:9080", "fhirAuthorization": AUTHORIZATION}
    response = call(service, "patient-view", prefetch=greeting, **server)
    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert "patient" in response.json()["detail"] and "allows" in response.json()["detail"]
    assert call(service, "patient-view", prefetch=greeting).status_code == 412


FEEDBACK: list[dict[str, Any]] = [
    {"card": "4e0a3a1e-3283-4575-ab82-028d55fe2719", "outcome": "accepted",
     "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
     "outcomeTimestamp": "2020-12-11T00:00:00Z"},
    {"card": "f6b95768-b1c8-40dc-8385-bf3504b82ffb", "outcome": "overridden",
     "outcomeTimestamp": "2020-12-11T00:00:00Z"},
    {"card": "9368d37b-283f-44a0-93ea-547cebab93ed", "outcome": "overridden",
     "overrideReason": {
         "reason": {"code": "d7ecf885", "system": "https://example.com/cds-hooks/override-reason-system"},
         "userComment": "clinician entered comment"},
     "outcomeTimestamp": "2020-12-11T00:00:00Z"},
]  # fmt: skip


def test_feedback_of_each_kind_is_kept(service: Any) -> None:
    response = post(service, "/cds-services/patient-view/feedback", {"feedback": FEEDBACK})
    assert response.status_code == 200, response.text
    cards = [f["card"] for f in FEEDBACK]
    with service.database.reading() as session:
        rows = {r.card: r for r in session.scalars(select(FeedbackRow).where(FeedbackRow.card.in_(cards)))}
    assert [rows[card].outcome for card in cards] == ["accepted", "overridden", "overridden"]
    assert {rows[card].time.isoformat() for card in cards} == {"2020-12-11T00:00:00+00:00"}
    assert rows[cards[2]].details["overrideReason"] == FEEDBACK[2]["overrideReason"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcomeTimestamp": 1607644800}, "outcomeTimestamp"),
        ({"outcome": "ignored"}, "outcome"),
        ({"card": "1"}, "card"),
        ({"acceptedSuggestions": [{"id": 1}]}, "acceptedSuggestions"),
    ],
)
def test_feedback_that_is_not_as_specified_is_refused(service: Any, change: dict[str, Any], field: str) -> None:
    sent = {"feedback": [{**FEEDBACK[0], **change}]}
    response = post(service, "/cds-services/patient-view/feedback", sent)
    assert response.status_code == 422 and field in response.json()["detail"]
