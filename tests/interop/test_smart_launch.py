"""SMART: the configuration, and a launch from a live EHR to the review of its encounter."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import fake_ehr
import httpx
import pytest
from fake_ehr import document
from joserfc.jwk import KeySet, OctKey
from live_service import EC, P256, RSA, STRANGER, serve_with
from pydantic import SecretStr, ValidationError

from api.interop.settings import Ehr, InteropSettings
from api.interop.smart.assertion import read_key, signing_keys
from codeassist.errors import InputError


@pytest.fixture
def browser() -> Any:
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client


def begin(browser: Any, service: Any, ehr_url: str) -> Any:
    return browser.get(f"{service.url}/launch", params={"iss": f"{ehr_url}/fhir", "launch": "xyz"})


def launched(browser: Any, service: Any, ehr_url: str) -> Any:
    """The answer to the callback of a whole launch."""
    away = begin(browser, service, ehr_url)
    assert away.status_code == 303, away.text
    back = browser.get(away.headers["location"])
    assert back.status_code == 302
    return browser.get(back.headers["location"])


def test_the_configuration_is_at_both_places(service: Any) -> None:
    found = service.client.get("/.well-known/smart-configuration").json()
    assert found == service.client.get("/fhir/.well-known/smart-configuration").json()
    assert found["token_endpoint"] == f"{service.url}/auth/token"
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert "client-confidential-asymmetric" in found["capabilities"]


def test_a_launch_opens_the_review_of_the_encounter(
    service: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any
) -> None:
    ehr.documents = [document("d1"), document("d2", "Assessment: Gout of the left foot, on colchicine.")]
    away = begin(browser, service, ehr_url)
    query = {k: v[0] for k, v in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert query["launch"] == "xyz" and query["aud"] == f"{ehr_url}/fhir" and query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
    assert "httponly" in away.headers["set-cookie"].lower() and "samesite=lax" in away.headers["set-cookie"].lower()
    done = launched(browser, service, ehr_url)
    assert done.status_code == 303, done.text
    number = done.headers["location"].removeprefix(f"{service.url}/reviews/")
    review = service.client.get(f"/v1/reviews/{int(number)}").json()
    assert [d["id"] for d in review["note"]["documents"]] == ["d1", "d2"]
    assert review["note"]["id"] == "Encounter/e1" and review["note"]["date_of_service"] == "2026-03-02"
    assert review["note"]["patient"]["age"] == 65 and review["note"]["patient"]["sex"] == "F"
    assert "E11.9" in [s["code"] for s in review["result"]["suggestions"]]
    again = launched(browser, service, ehr_url)
    assert again.headers["location"] == done.headers["location"], "the same encounter has one review"
    ehr.documents.append(document("d3", "Addendum: Hypothyroidism, on levothyroxine."))
    assert launched(browser, service, ehr_url).headers["location"] != done.headers["location"]


def refused(response: Any, words: str) -> None:
    assert (response.status_code, response.json()["code"]) == (403, "launch-refused"), response.text
    assert words in response.json()["detail"]


@pytest.mark.parametrize("iss", ["https://evil.example/fhir", "http://169.254.169.254", "", "{ehr}/fhir/../private"])
def test_an_ehr_that_is_not_registered_launches_nothing(
    service: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any, iss: str
) -> None:
    response = browser.get(f"{service.url}/launch", params={"iss": iss.format(ehr=ehr_url), "launch": "x"})
    refused(response, "not registered")
    assert ehr.asked == []


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"code_challenge_methods_supported": []}, "PKCE"),
        ({"token_endpoint": "https://evil.example/token"}, "token endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization endpoint"),
    ],
)
def test_an_ehr_with_a_wrong_configuration_is_refused(
    service: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any, configuration: dict[str, Any], words: str
) -> None:
    ehr.configuration = configuration
    refused(begin(browser, service, ehr_url), words)


def test_a_callback_in_another_browser_is_refused(service: Any, ehr: Any, ehr_url: str, browser: Any) -> None:
    back = browser.get(begin(browser, service, ehr_url).headers["location"]).headers["location"]
    with httpx.Client(timeout=60, trust_env=False) as other:
        refused(other.get(back), "not begun in this browser")
    assert browser.get(back).status_code == 303


def test_a_callback_is_taken_once(service: Any, ehr: Any, ehr_url: str, browser: Any) -> None:
    away = begin(browser, service, ehr_url)
    cookie = away.headers["set-cookie"].split(";")[0]
    back = browser.get(away.headers["location"]).headers["location"]
    assert browser.get(back).status_code == 303
    with httpx.Client(timeout=60, trust_env=False) as again:
        refused(again.get(back, headers={"Cookie": cookie}), "used already")


def test_a_launch_that_the_ehr_refuses_ends(service: Any, ehr: Any, ehr_url: str, browser: Any) -> None:
    away = begin(browser, service, ehr_url)
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    url = f"{service.url}/launch/callback"
    refused(browser.get(url, params={"state": state, "error": "access_denied"}), "did not let")
    away = begin(browser, service, ehr_url)
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    refused(browser.get(url, params={"state": state, "code": "made-up"}), "gave no token")
    refused(browser.get(url, params={"state": "", "code": "x"}), "not begun")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"patient": "1"}, "names no encounter"),
        ({"patient": "2", "encounter": "e1"}, "can't be had"),
        ({"patient": "1", "encounter": "../../private/note.txt"}, "can't be had"),
        ({"patient": "1", "encounter": "e1", "token_type": "mac"}, "no bearer token"),
    ],
)
def test_a_launch_without_a_right_context_ends(
    service: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any, given: dict[str, str], words: str
) -> None:
    ehr.launched = given
    refused(launched(browser, service, ehr_url), words)


def test_documents_of_another_patient_are_refused(service: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any) -> None:
    ehr.documents = [document("d1", subject={"reference": "Patient/2"})]
    refused(launched(browser, service, ehr_url), "another patient")


SIGNED = """
[smart_ehrs."{ehr}/fhir"]
client_id = "codeassist"
private_key = "{key}"
"""


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_a_client_that_signs_proves_who_it_is_to_the_token_endpoint(
    assistant: Any, ehr: fake_ehr.Ehr, ehr_url: str, browser: Any, tmp_path: Path, key: Any
) -> None:
    (tmp_path / "key.json").write_text(json.dumps(key.as_dict(private=True)))
    with serve_with(assistant, tmp_path, SIGNED.format(ehr=ehr_url, key=tmp_path / "key.json")) as signing:
        published = signing.client.get("/.well-known/jwks.json").json()
        (row,) = published["keys"]
        assert row["kid"] == key.kid and not {"d", "p", "q", "dp", "dq", "qi", "k"} & row.keys()
        ehr.client_jwks = published
        done = launched(browser, signing, ehr_url)
        assert done.status_code == 303 and "/reviews/" in done.headers["location"], done.text
        form, authorization = ehr.forms[0]
        assert authorization is None and not {"client_id", "client_secret"} & form.keys()
        header = json.loads(_decoded(form["client_assertion"].split(".")[0]))
        assert header == {"alg": "RS384" if key is RSA else "ES384", "kid": key.kid, "typ": "JWT"}
        launched(browser, signing, ehr_url)
        assert len(ehr.seen) == 2, "each request has an assertion of its own"
        ehr.client_jwks = {"keys": [STRANGER.as_dict(private=False)]}
        refused(launched(browser, signing, ehr_url), "gave no token")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_client_with_a_secret_publishes_no_keys(service: Any) -> None:
    assert service.client.get("/.well-known/jwks.json").json() == {"keys": []}


def test_the_first_key_signs_and_all_are_published(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(KeySet([EC, RSA]).as_dict(private=True)))
    found = read_key(tmp_path / "keys.json")
    assert found.algorithm == "ES384" and [row["kid"] for row in found.public] == [EC.kid, RSA.kid]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read"),
        ("no json", "no JWK"),
        ("[]", "no JWK"),
        ('{"keys": []}', "no key"),
        (json.dumps(EC.as_dict(private=False)), "no private key"),
        (json.dumps(P256.as_dict(private=True)), "no private key"),
        (json.dumps(OctKey.generate_key(256, {"kid": "h"}).as_dict(private=True)), "no private key"),
        (json.dumps({k: v for k, v in EC.as_dict(private=True).items() if k != "kid"}), "kid"),
    ],
    ids=["no file", "no JSON", "no object", "empty", "public", "another curve", "symmetric", "no key id"],
)
def test_a_key_that_can_not_sign_is_told_at_the_start(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    settings = InteropSettings(smart_ehrs={"https://ehr.example": Ehr(client_id="c", private_key=path)})
    with pytest.raises(InputError, match=words):
        signing_keys(settings)


def test_a_secret_and_a_key_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="either"):
        Ehr(client_id="c", client_secret=SecretStr("s"), private_key=Path("k"))
