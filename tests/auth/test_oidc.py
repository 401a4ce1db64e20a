"""Sign-in at a live OpenID Connect provider, and every answer of it that must not be believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from account_helpers import audit, sign_in
from fastapi.testclient import TestClient
from oidc_provider import OidcProvider
from sqlalchemy import update

from api.settings import ApiSettings
from api.store.accounts import OidcFlowRow
from api.store.base import now
from codeassist.errors import InputError
from codeassist.settings import read_settings

FAULTS = [
    "wrong nonce", "no nonce", "wrong audience", "audience of two without azp", "wrong issuer", "expired", "no expiry",
    "wrong at_hash", "unsigned", "signed by another key", "signed by the public key as a secret",
    "signed by the client's secret", "changed after signing", "not a token", "no token", "no ID token",
]  # fmt: skip


@pytest.fixture
def organisation(site: Any, provider: OidcProvider) -> Iterator[TestClient]:
    """A service that trusts the provider and has no user of its own."""
    provider.reset()
    with site(**provider.settings()) as client:
        yield client


def to_provider(client: TestClient, next_path: str = "/") -> str:
    """Press the button, and sign in at the provider; gives the path that the browser is sent back to."""
    off = client.get(f"/sign-in/oidc?next={next_path}")
    assert off.status_code == 303, off.text
    back = httpx.get(off.headers["location"], verify=False)
    assert back.status_code == 302
    parts = urlsplit(back.headers["location"])
    assert parts.path == "/sign-in/oidc/callback"
    return f"{parts.path}?{parts.query}"


def come_back(client: TestClient, path: str | None = None) -> Any:
    return client.get(path or to_provider(client))


def test_sign_in_with_pkce_state_and_nonce(organisation: TestClient) -> None:
    off = organisation.get("/sign-in/oidc?next=/docs")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(off.headers["location"]).query).items()}
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert asked["redirect_uri"] == "http://127.0.0.1/sign-in/oidc/callback"
    cookie = off.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and asked["state"] not in cookie
    back = come_back(organisation, to_provider(organisation, "/docs"))
    assert back.status_code == 303 and back.headers["location"] == "/docs"
    said = organisation.get("/v1/session").json()
    assert (said["name"], said["roles"], said["signed_in_by"]) == ("olive", ["coder"], "oidc")
    assert ("olive", "login", "user/olive") in audit(organisation)
    assert organisation.post("/v1/suggestions", json={"text": "Gout."}).status_code == 200
    assert organisation.get("/v1/users").status_code == 403


def test_the_page_has_a_button_for_the_provider(organisation: TestClient) -> None:
    page = organisation.get("/sign-in?next=/docs").text
    assert 'href="/sign-in/oidc?next=/docs"' in page and "<form id=" not in page, "nobody has a password here"


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_does_not_hold_lets_nobody_in(
    organisation: TestClient, provider: OidcProvider, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider.reset(fault)
    response = come_back(organisation)
    assert response.status_code == 502 and "did not answer as it should" in response.text
    assert "codeassist-session" not in organisation.cookies
    assert organisation.get("/v1/session").status_code == 401
    assert ("(unknown)", "login-failed", "user/(unknown)") in audit(organisation)
    assert "sign-in by the provider failed" in caplog.text and "eyJ" not in caplog.text
    provider.reset()
    assert come_back(organisation).status_code == 303, "without the fault it holds"


def altered(path: str, **changes: str | None) -> str:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    kept = {name: value for name, value in {**query, **changes}.items() if value is not None}
    return f"{parts.path}?{httpx.QueryParams(kept)}"


@pytest.mark.parametrize(
    "changes",
    [{"state": "another"}, {"state": None}, {"state": "é"}, {"code": None}, {"iss": "https://elsewhere.example"}],
    ids=str,
)
def test_an_answer_of_another_sign_in_lets_nobody_in(organisation: TestClient, changes: dict[str, str | None]) -> None:
    response = come_back(organisation, altered(to_provider(organisation), **changes))
    assert response.status_code == 403
    assert organisation.get("/v1/session").status_code == 401


def test_an_answer_counts_in_the_browser_that_asked_alone(organisation: TestClient) -> None:
    path = to_provider(organisation)
    organisation.cookies.clear()
    assert come_back(organisation, path).status_code == 403


def test_an_answer_counts_once(organisation: TestClient) -> None:
    path = to_provider(organisation)
    cookies = dict(organisation.cookies)
    assert come_back(organisation, path).status_code == 303
    organisation.cookies.clear()
    organisation.cookies.update(cookies)
    assert come_back(organisation, path).status_code == 403


def test_an_answer_that_comes_too_late_does_not_count(organisation: TestClient) -> None:
    path = to_provider(organisation)
    with organisation.app.state.database.writing() as session:  # type: ignore[attr-defined]
        session.execute(update(OidcFlowRow).values(created=now().replace(year=2020)))
    assert come_back(organisation, path).status_code == 403


def test_a_code_of_another_does_not_count(organisation: TestClient, provider: OidcProvider) -> None:
    stolen = parse_qs(urlsplit(to_provider(organisation)).query)["code"][0]
    own = to_provider(organisation)
    assert come_back(organisation, altered(own, code=stolen)).status_code == 502, "PKCE"


def test_a_refusal_of_the_provider_is_told(organisation: TestClient, provider: OidcProvider) -> None:
    provider.reset("refusal")
    response = come_back(organisation)
    assert response.status_code == 403 and "was not finished" in response.text


def test_who_has_no_role_is_told_so(organisation: TestClient, provider: OidcProvider) -> None:
    for roles in ([], ["surgeons"], "surgeons", None, {"coders": 1}, 7):
        provider.reset(roles=roles)
        response = come_back(organisation)
        assert response.status_code == 403 and "no role" in response.text, roles


@pytest.mark.parametrize("name", ["", None, "two words", "<script>", "local", "x" * 200, ["olive"]])
def test_a_name_that_can_not_be_used_is_refused(organisation: TestClient, provider: OidcProvider, name: Any) -> None:
    provider.reset(preferred_username=name)
    response = come_back(organisation)
    assert response.status_code == 403 and "<script>" not in response.text


def test_roles_follow_the_provider_at_each_sign_in(organisation: TestClient, provider: OidcProvider) -> None:
    come_back(organisation)
    provider.reset(roles="chiefs")
    come_back(organisation)
    assert organisation.get("/v1/session").json()["roles"] == ["administrator"]
    refused = organisation.patch("/v1/users/olive", json={"roles": ["coder"]})
    assert refused.json()["code"] == "account-refused"
    (user,) = organisation.get("/v1/users").json()
    assert (user["name"], user["source"]) == ("olive", "oidc")


def test_a_name_belongs_to_the_first_who_came_with_it(organisation: TestClient, provider: OidcProvider) -> None:
    come_back(organisation)
    provider.reset(sub="subject-2")
    assert come_back(organisation).status_code == 403
    provider.reset(preferred_username="olive.new")
    assert come_back(organisation).status_code == 303
    assert organisation.get("/v1/session").json()["name"] == "olive", "the same subject stays the same user"


def test_the_name_of_a_local_account_is_not_to_be_had(site: Any, provider: OidcProvider) -> None:
    provider.reset(roles=["chiefs"])
    with site(users={"olive": ["administrator"]}, **provider.settings()) as client:
        assert come_back(client).status_code == 403
        assert sign_in(client, "olive").status_code == 200


def test_a_disabled_user_is_not_let_in(site: Any, provider: OidcProvider) -> None:
    provider.reset()
    with site(users={"ada": ["administrator"]}, **provider.settings()) as client:
        come_back(client)
        sign_in(client, "ada")
        assert client.patch("/v1/users/olive", json={"disabled": True}).status_code == 200
        client.cookies.clear()
        assert come_back(client).status_code == 403


def test_a_user_of_the_provider_has_no_password(organisation: TestClient) -> None:
    come_back(organisation)
    assert sign_in(organisation, "olive", "").status_code == 422
    assert sign_in(organisation, "olive", "anything").status_code == 401
    body = {"current": "x", "new": "seven quiet boats at noon"}
    assert organisation.put("/v1/session/password", json=body).json()["code"] == "forbidden"


def test_keys_that_the_provider_changed_are_fetched_anew(organisation: TestClient, provider: OidcProvider) -> None:
    from joserfc.jwk import RSAKey

    assert come_back(organisation).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    organisation.cookies.clear()
    assert come_back(organisation).status_code == 303


def test_nested_claims_and_another_claim_for_the_name(site: Any, provider: OidcProvider) -> None:
    provider.reset(email="Olive@clinic.example", realm_access={"roles": ["chiefs", "coders"]})
    claims = {"oidc_roles_claim": "realm_access.roles", "oidc_name_claim": "email"}
    with site(**provider.settings(), **claims) as client:
        come_back(client)
        said = client.get("/v1/session").json()
    assert (said["name"], said["roles"]) == ("olive@clinic.example", ["coder", "administrator"])


def test_a_provider_that_is_not_there_or_another_is_told(site: Any, provider: OidcProvider) -> None:
    settings = {**provider.settings(), "oidc_issuer": "http://127.0.0.1:9"}
    with site(**settings) as client:
        response = client.get("/sign-in/oidc")
        assert response.status_code == 502 and "did not answer" in response.text
    provider.reset("issuer of another")
    with site(**provider.settings()) as client:
        assert client.get("/sign-in/oidc").status_code == 502


def test_a_provider_is_asked_over_https_alone(site: Any, provider: OidcProvider) -> None:
    with site(**{**provider.settings(), "oidc_issuer": "http://provider.example"}) as client:
        assert client.get("/sign-in/oidc").status_code == 502


def test_without_a_provider_there_is_no_way_to_one(with_users: TestClient) -> None:
    assert with_users.get("/sign-in/oidc").status_code == 404
    assert with_users.get("/sign-in/oidc/callback?code=x&state=y").status_code == 404


def test_half_a_provider_is_a_setting_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEASSIST_OIDC_ISSUER", "https://provider.example")
    with pytest.raises(InputError, match="oidc_client_id"):
        read_settings(ApiSettings)
