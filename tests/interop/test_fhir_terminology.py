"""The operations on the code systems, by GET and by POST."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"


def both(service: Any, path: str, **values: str) -> tuple[int, dict[str, Any]]:
    """The answer to a GET, which a POST of the same Parameters gets too."""
    kinds = {"system": "valueUri", "url": "valueUri", "code": "valueCode", "date": "valueDateTime",
             "count": "valueInteger", "offset": "valueInteger"}  # fmt: skip
    rows = [{"name": n, kinds.get(n, "valueString"): int(v) if v.isdigit() and n in ("count", "offset") else v}
            for n, v in values.items()]  # fmt: skip
    by_get = service.client.get(path, params=values)
    by_post = service.client.post(path, json={"resourceType": "Parameters", "parameter": rows})
    answers = [r.json() for r in (by_get, by_post)]
    for answer in answers:
        get_fhir_model_class(answer["resourceType"]).model_validate(answer)
        answer.get("expansion", {}).pop("timestamp", None)
    assert by_get.status_code == by_post.status_code and answers[0] == answers[1]
    return by_get.status_code, answers[0]


def value(answer: dict[str, Any], name: str) -> Any:
    return next((v for p in answer["parameter"] if p["name"] == name for k, v in p.items() if k != "name"), None)


def properties(answer: dict[str, Any]) -> dict[str, Any]:
    rows = [p["part"] for p in answer["parameter"] if p["name"] == "property"]
    return {part[0]["valueCode"]: next(v for k, v in part[1].items() if k != "name") for part in rows}


@pytest.mark.parametrize(
    ("system", "code", "words"),
    [
        (ICD, "E11.9", "Type 2 diabetes"),
        (ICD, "e119", "Type 2 diabetes"),
        (PCS, "0DTJ4ZZ", "Appendix"),
        (CPT, "99213", ""),
        (HCPCS, "J1885", ""),
        ("urn:oid:2.16.840.1.113883.6.90", "I10", "hypertension"),
    ],
)
def test_a_code_is_looked_up(open_service: Any, system: str, code: str, words: str) -> None:
    status, answer = both(open_service, "/fhir/CodeSystem/$lookup", system=system, code=code)
    assert status == 200 and words in value(answer, "display") and value(answer, "version")
    assert properties(answer)["inactive"] is False


def test_a_lookup_gives_the_place_in_the_hierarchy_and_the_dates(open_service: Any) -> None:
    _, answer = both(open_service, "/fhir/CodeSystem/$lookup", system=ICD, code="E11")
    assert properties(answer)["billable"] is False and properties(answer)["child"].startswith("E11")
    _, answer = both(open_service, "/fhir/CodeSystem/$lookup", system=ICD, code="E11.9", date="1999-01-01")
    assert properties(answer)["parent"] == "E11"


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"system": ICD, "code": "E11.999"}, 404, "no code"),
        ({"system": "http://snomed.info/sct", "code": "1"}, 404, "not held"),
        ({"system": ICD}, 422, "code and system"),
        ({"system": ICD, "code": "I10", "date": "soon"}, 422, "date"),
    ],
)
def test_a_wrong_lookup_is_an_operation_outcome(
    open_service: Any, values: dict[str, str], status: int, words: str
) -> None:
    found, answer = both(open_service, "/fhir/CodeSystem/$lookup", **values)
    assert found == status and answer["resourceType"] == "OperationOutcome"
    assert words in answer["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("values", "result", "words"),
    [
        ({"url": ICD, "code": "E11.9"}, True, None),
        ({"url": ICD, "code": "E11.9", "display": "Type 2 diabetes mellitus without complications"}, True, None),
        ({"url": ICD, "code": "E11.9", "display": "Gout"}, False, "display"),
        ({"url": ICD, "code": "E11"}, True, "category"),
        ({"url": ICD, "code": "E11.99"}, False, "no code"),
        ({"url": CPT, "code": "99213"}, True, None),
    ],
)
def test_a_code_is_validated(open_service: Any, values: dict[str, str], result: bool, words: str | None) -> None:
    status, answer = both(open_service, "/fhir/CodeSystem/$validate-code", **values)
    assert status == 200 and value(answer, "result") is result
    message = value(answer, "message")
    assert message is None if words is None else words in message


def test_a_code_of_another_year_is_not_valid_then(open_service: Any, store: Any) -> None:
    low, high = store.system_range("icd-10-cm")
    row = next(r for r in range(low, high) if store.billable[r] and 20221001 < store.first[r] < 20270101)
    entry = store.entry(row)
    values = {"url": ICD, "code": entry.code}
    _, before = both(open_service, "/fhir/CodeSystem/$validate-code", **values, date="2022-11-01")
    _, after = both(open_service, "/fhir/CodeSystem/$validate-code", **values, date=entry.valid_from.isoformat())
    assert (value(before, "result"), value(after, "result")) == (False, True)


def test_a_coding_is_validated_too(open_service: Any) -> None:
    rows = [{"name": "coding", "valueCoding": {"system": ICD, "code": "I10"}}]
    body = {"resourceType": "Parameters", "parameter": rows}
    assert value(open_service.client.post("/fhir/CodeSystem/$validate-code", json=body).json(), "result") is True
    rows = [{"name": "codeableConcept", "valueCodeableConcept": {"coding": [{"system": ICD, "code": "I10"}]}}]
    body = {"resourceType": "Parameters", "parameter": rows}
    assert value(open_service.client.post("/fhir/CodeSystem/$validate-code", json=body).json(), "result") is True


def test_an_expansion_filters_and_pages(open_service: Any) -> None:
    path, url = "/fhir/ValueSet/$expand", f"{ICD}?fhir_vs"
    _, whole = both(open_service, path, url=url, filter="gout", count="10", date="2026-03-02")
    _, page = both(open_service, path, url=url, filter="gout", count="5", offset="5", date="2026-03-02")
    codes = [c["code"] for c in whole["expansion"]["contains"]]
    assert len(codes) == 10 and all(c["system"] == ICD for c in whole["expansion"]["contains"])
    assert [c["code"] for c in page["expansion"]["contains"]] == codes[5:]
    assert whole["expansion"]["total"] == page["expansion"]["total"] >= 10
    _, none = both(open_service, path, url=url, filter="gout", count="0")
    assert "contains" not in none["expansion"] and none["expansion"]["total"] > 0


def test_a_whole_system_is_expanded_a_page_at_a_time(open_service: Any, store: Any) -> None:
    from datetime import date

    _, answer = both(open_service, "/fhir/ValueSet/$expand", url=ICD, count="3", date="2026-04-01")
    assert answer["expansion"]["total"] == store.count("icd-10-cm", date(2026, 4, 1))
    assert [c["code"] for c in answer["expansion"]["contains"]] == ["A00.0", "A00.1", "A00.9"]


def test_a_value_set_in_the_request_is_expanded(open_service: Any) -> None:
    include = [{"system": ICD, "concept": [{"code": "I10"}, {"code": "E11"}, {"code": "E11.9"}, {"code": "zzz"}]}]
    composed = {"resourceType": "ValueSet", "status": "draft", "compose": {"include": include}}
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": composed}]}
    answer = open_service.client.post("/fhir/ValueSet/$expand", json=body).json()
    get_fhir_model_class("ValueSet").model_validate(answer)
    assert [c["code"] for c in answer["expansion"]["contains"]] == ["I10", "E11.9"]


@pytest.mark.parametrize(
    "values",
    [{}, {"url": "http://snomed.info/sct?fhir_vs"}, {"url": ICD, "count": "-1"}, {"url": ICD, "count": "5000"},
     {"url": ICD, "offset": "x"}],
)  # fmt: skip
def test_a_wrong_expansion_is_an_operation_outcome(open_service: Any, values: dict[str, str]) -> None:
    response = open_service.client.get("/fhir/ValueSet/$expand", params=values)
    assert response.status_code in (404, 422) and response.json()["resourceType"] == "OperationOutcome"
