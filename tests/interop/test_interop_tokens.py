"""Each wrong token, audience, algorithm, replay and origin is refused; a right one is taken once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
import warnings
from typing import Any

import pytest
from fake_ehr import ENCOUNTER, PATIENT, document, searchset
from joserfc.jwk import RSAKey
from live_service import EC, JWKS, P256, RSA, STRANGER, claims, signed

from api.interop.keys import key_set
from api.interop.tokens import TokenRefused
from api.store.base import now
from api.store.interop import AccessToken, UsedToken

ISSUER = "https://cds.example"
PATH = "/cds-services/encounter-discharge"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CALL = {
    "hook": "encounter-discharge",
    "hookInstance": "0f6a3a5e-0a0b-4f8b-9b5c-2d6a1c4f7e10",
    "context": {"userId": "Practitioner/9", "patientId": "1", "encounterId": "e1"},
    "prefetch": {
        "patient": PATIENT,
        "encounter": ENCOUNTER,
        "documents": searchset(document("d1")),
        "conditions": searchset(),
    },
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it is weak is what is tested
    WEAK = RSAKey.generate_key(1024, {"kid": "weak"})
EVIL = "https://evil.example/jwks"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(body: dict[str, Any], algorithm: str, secret: bytes | None, kid: str = "rsa-1") -> str:
    """A token without a signature, or one by an HMAC whose secret is a public key."""
    header = b64(json.dumps({"alg": algorithm, "kid": kid}).encode())
    start = f"{header}.{b64(json.dumps(body).encode())}"
    return f"{start}.{b64(hmac.new(secret, start.encode(), hashlib.sha384).digest()) if secret else ''}"


def tampered(token: str) -> str:
    header, body, signature = token.split(".")
    body = b64(json.dumps({**json.loads(base64.urlsafe_b64decode(body + "==")), "extra": 1}).encode())
    return f"{header}.{body}.{signature}"


def wrong_tokens(issuer: str, audience: str) -> dict[str, str]:
    """A token for each thing that can be wrong with one."""
    made, late = claims(issuer, audience), int(time.time())
    public = RSA.as_pem(private=False)
    return {
        "none": forged(made, "none", None),
        "none in capitals": forged(made, "nOnE", None),
        "hmac with the public key": forged(made, "HS384", public),
        "hmac with the jwk": forged(made, "HS256", json.dumps(JWKS["keys"][0]).encode()),
        "hmac that says rs384": forged(made, "RS384", public),
        "rs256": signed(made, RSA, "RS256"),
        "rs512": signed(made, RSA, "RS512"),
        "es256": signed(made, P256, "ES256"),
        "the kid of an rsa key for es384": signed(made, EC, "ES384", kid="rsa-1"),
        "the kid of another curve": signed(made, EC, "ES384", kid="p256"),
        "a stranger's key": signed(made, STRANGER),
        "an unknown kid": signed(made, EC, kid="ec-2"),
        "no kid": signed(made, EC, kid=None),
        "its own key in the header": signed(made, STRANGER, jwk=STRANGER.as_dict(private=False)),
        "keys elsewhere": signed(made, EC, jku=EVIL),
        "tampered": tampered(signed(made, EC)),
        "cut off": signed(made, EC)[:-8],
        "no signature": signed(made, EC).rsplit(".", 1)[0] + ".",
        "expired": signed({**made, "exp": late - 60}, EC),
        "good for an hour": signed({**made, "exp": late + 3600}, EC),
        "no exp": signed(claims(issuer, audience, exp=None), EC),
        "exp as text": signed({**made, "exp": "tomorrow"}, EC),
        "issued tomorrow": signed({**made, "iat": late + 86400}, EC),
        "not yet": signed({**made, "nbf": late + 86400}, EC),
        "no jti": signed(claims(issuer, audience, jti=None), EC),
        "a jti that is none": signed({**made, "jti": 7}, EC),
        "another audience": signed(claims(issuer, "https://other.example/cds-services"), EC),
        "an audience that begins like ours": signed(claims(issuer, f"{audience}.evil.example"), EC),
        "no audience": signed(claims(issuer, None), EC),
        "another issuer": signed(claims("https://evil.example", audience), EC),
        "no issuer": signed(claims(issuer, audience, iss=None), EC),
        "an issuer that is none": signed({**made, "iss": ["x"]}, EC),
        "no token": "abc",
        "rubbish": "a.b.c",
    }


NAMES = sorted(wrong_tokens("x", "y"))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_token_of_a_cds_client_is_refused(service: Any, name: str) -> None:
    token = wrong_tokens(ISSUER, service.url + PATH)[name]
    response = service.client.post(PATH, json=CALL, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401, response.text
    assert response.json()["code"] == "unauthenticated" and response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES384"), (RSA, "RS384")])
@pytest.mark.parametrize("with_jku", [False, True])
def test_a_right_token_is_taken_once(service: Any, ehr_url: str, key: Any, algorithm: str, with_jku: bool) -> None:
    header = {"jku": f"{ehr_url}/jwks"} if with_jku else {}
    token = signed(claims(ISSUER, service.url + PATH), key, algorithm, **header)
    headers = {"Authorization": f"Bearer {token}"}
    assert service.client.post(PATH, json=CALL, headers=headers).status_code == 200
    again = service.client.post(PATH, json=CALL, headers=headers)
    assert again.status_code == 401 and "used before" in again.json()["detail"]


def test_a_call_without_a_token_is_refused_where_clients_are_named(service: Any, open_service: Any) -> None:
    assert service.client.post(PATH, json=CALL).status_code == 401
    assert open_service.client.post(PATH, json=CALL).status_code == 200
    headers = {"Authorization": "Bearer abc"}
    assert open_service.client.post(PATH, json=CALL, headers=headers).status_code == 401


def test_a_token_for_one_service_is_none_for_another_nor_for_fhir(service: Any) -> None:
    def headers(path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {signed(claims(ISSUER, service.url + path))}"}

    assert service.client.post(PATH, json=CALL, headers=headers("/cds-services/patient-view")).status_code == 401
    path = "/fhir/ValueSet/$expand"
    assert service.client.get(path, headers=headers(path)).status_code == 401


def test_a_caller_can_not_choose_the_audience_by_the_host_header(service: Any) -> None:
    token = signed(claims(ISSUER, f"http://other.example{PATH}"))
    headers = {"Authorization": f"Bearer {token}", "Host": "other.example"}
    assert service.client.post(PATH, json=CALL, headers=headers).status_code == 401
    form = {"Host": "other.example", "Content-Type": "application/x-www-form-urlencoded"}
    assertion = signed(claims("loader", "http://other.example/auth/token"))
    body = f"grant_type=client_credentials&scope=system/*.read&client_assertion_type={ASSERTION}"
    answer = service.client.post("/auth/token", content=f"{body}&client_assertion={assertion}", headers=form)
    assert answer.status_code == 401 and "another audience" in answer.json()["error_description"]


def test_the_keys_of_a_client_are_not_fetched_for_each_call(service: Any, ehr: Any) -> None:
    for _ in range(3):
        token = signed(claims(ISSUER, service.url + PATH), kid=uuid.uuid4().hex)
        service.client.post(PATH, json=CALL, headers={"Authorization": f"Bearer {token}"})
    assert sum(path == "/jwks" for path, _ in ehr.asked) <= 1


def test_symmetric_and_private_keys_of_a_set_are_left_out() -> None:
    rows = [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}, EC.as_dict(private=True), RSA.as_dict(private=False)]
    assert [k.kid for k in key_set(json.dumps({"keys": rows}).encode()).keys] == ["rsa-1"]
    for bad in (b"", b"[]", b'{"keys": 7}', json.dumps({"keys": rows * 40}).encode()):
        with pytest.raises(TokenRefused):
            key_set(bad)


# -- backend services ----------------------------------------------------------------------------------


def ask(service: Any, assertion: str | None = None, client: str = "loader", **fields: str | None) -> Any:
    audience = f"{service.url}/auth/token"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": assertion or signed(claims(client, audience)),
        "scope": "system/DocumentReference.read",
        **fields,
    }
    return service.client.post("/auth/token", data={k: v for k, v in form.items() if v is not None})


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_assertion_gets_no_token(service: Any, name: str) -> None:
    response = ask(service, wrong_tokens("loader", f"{service.url}/auth/token")[name])
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client"), response.text
    assert "access_token" not in response.json()


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES384"), (RSA, "RS384")])
def test_a_right_assertion_gets_a_token_once(service: Any, key: Any, algorithm: str) -> None:
    assertion = signed(claims("loader", f"{service.url}/auth/token"), key, algorithm)
    response = ask(service, assertion)
    record = response.json()
    assert response.status_code == 200 and response.headers["cache-control"] == "no-store"
    assert (record["token_type"], record["scope"]) == ("bearer", "system/DocumentReference.read")
    assert 0 < record["expires_in"] <= 300
    again = ask(service, assertion)
    assert again.status_code == 401 and "used before" in again.json()["error_description"]
    with service.database.reading() as session:
        kept = session.query(AccessToken).all()
        assert kept and all(record["access_token"] not in (row.digest, row.client) for row in kept)


def test_a_weak_key_is_refused(service: Any) -> None:
    from joserfc.jwk import KeySet

    from api.interop.tokens import verify

    with pytest.raises(TokenRefused, match="no such key"):
        verify(signed(claims("a", "b"), WEAK, "RS384"), KeySet([WEAK]), ["b"])


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": "secret"}, 401, "invalid_client"),
        ({"client_assertion": ""}, 401, "invalid_client"),
        ({"client_id": "archive"}, 401, "invalid_client"),
        ({"scope": None}, 400, "invalid_scope"),
        ({"scope": "system/*.write"}, 400, "invalid_scope"),
        ({"scope": "user/DocumentReference.read"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_request_gets_no_token(service: Any, fields: dict[str, Any], status: int, error: str) -> None:
    response = ask(service, **fields)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_what_is_no_form_gets_no_token(service: Any) -> None:
    assert service.client.post("/auth/token", json={}).json()["error"] == "invalid_request"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("grant_type=a&grant_type=b", "a" * 40_000, "%ff=%fe&x", b"\xff\xfe=1"):
        response = service.client.post("/auth/token", content=body, headers=headers)
        assert response.status_code in (400, 401) and "error" in response.json()


def test_a_token_opens_what_its_scopes_say_until_it_expires(service: Any) -> None:
    token = ask(service, scope="system/DocumentReference.read system/Condition.read").json()
    assert token["scope"] == "system/DocumentReference.read"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    params = {"url": "http://hl7.org/fhir/sid/icd-10-cm", "filter": "gout", "count": "2"}
    assert service.client.get("/fhir/ValueSet/$expand", params=params, headers=headers).status_code == 200
    assert service.client.get("/fhir/ValueSet/$expand", params=params).status_code == 401
    refused = service.client.post(PATH, json=CALL, headers=headers)
    assert refused.status_code == 403, "a token to read documents may not put them to review"
    with service.database.writing() as session:
        for row in session.query(AccessToken).all():
            row.expires = now()
    assert service.client.get("/fhir/ValueSet/$expand", params=params, headers=headers).status_code == 401


def test_used_tokens_are_forgotten_when_they_have_expired(service: Any) -> None:
    with service.database.writing() as session:
        session.add(UsedToken(digest="0" * 64, expires=now()))
    assert ask(service).status_code == 200
    with service.database.reading() as session:
        assert session.get(UsedToken, "0" * 64) is None


# -- pages of other origins ----------------------------------------------------------------------------

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


def test_a_page_of_an_origin_on_the_list_may_call(service: Any) -> None:
    origin = {"Origin": "https://ehr.example"}
    preflight = service.client.options(PATH, headers={**origin, **PREFLIGHT})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://ehr.example"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    answer = service.client.get("/cds-services", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "https://ehr.example"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://ehr.example", "https://ehr.example.evil", "null", "https://ehr.example:8443"],
)
@pytest.mark.parametrize("path", ["/cds-services", "/fhir/metadata", "/.well-known/smart-configuration"])
def test_a_page_of_any_other_origin_may_not(service: Any, origin: str, path: str) -> None:
    for headers in ({"Origin": origin}, {"Origin": origin, **PREFLIGHT}):
        method = "OPTIONS" if PREFLIGHT.items() <= headers.items() else "GET"
        response = service.client.request(method, path, headers=headers)
        assert response.status_code == 403 and "access-control-allow-origin" not in response.headers


def test_a_page_of_the_service_itself_may_call(service: Any) -> None:
    assert service.client.get("/cds-services", headers={"Origin": service.url}).status_code == 200
