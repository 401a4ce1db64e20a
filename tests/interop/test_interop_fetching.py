"""Nothing is fetched but what the site has allowed."""

from __future__ import annotations

import anyio
import pytest

from api.interop.fetching import Fetcher, FetchError, NotAllowed, allowed
from api.interop.settings import InteropSettings

PREFIX = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    "url",
    ["https://ehr.example/fhir", "https://EHR.example:443/fhir/Patient/1", "https://ehr.example/fhir/Patient?_id=1"],
)
def test_what_begins_like_an_allowed_address_is_allowed(url: str) -> None:
    assert allowed(url, [PREFIX])


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir/Patient/1",
        "https://ehr.example/fhirx",
        "https://ehr.example/",
        "https://ehr.example.evil/fhir",
        "https://ehr.example@evil.example/fhir",
        "https://user:pass@ehr.example/fhir",
        "https://evil.example/https://ehr.example/fhir",
        "https://ehr.example:8443/fhir",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example/fhir/%252e%252e/admin",
        "https://ehr.example/fhir\\..\\admin",
        "https://ehr.example/fhir#@evil.example",
        "https://ehr.example/fhir /x",
        "https://ehr.example/fhir\r\nHost: evil.example",
        "https://ehr.еxample/fhir",
        "https://ehr.example:99999/fhir",
        "https://[::1/fhir",
        "file:///etc/passwd",
        "gopher://ehr.example/fhir",
        "//ehr.example/fhir",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(url: str) -> None:
    assert not allowed(url, [PREFIX])


def get(ehr_url: str, path: str, types: tuple[str, ...] = ("text/plain",)) -> bytes:
    settings = InteropSettings(allowed_servers=(f"{ehr_url}/files",), max_fetch_bytes=200_000, fetch_seconds=1.0)

    async def fetch() -> bytes:
        return (await Fetcher(settings).get(f"{ehr_url}{path}", types, "token")).data

    return anyio.run(fetch)


def test_an_allowed_file_and_a_redirect_to_one_are_fetched(ehr_url: str) -> None:
    assert get(ehr_url, "/files/note.txt") == get(ehr_url, "/files/near")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/private/note.txt", "not among the servers"),
        ("/files/far", "not among the servers"),
        ("/files/round", "redirects more than"),
        ("/files/big", "more than 200,000 bytes"),
        ("/files/slow", "longer than 1 seconds"),
        ("/files/page", "text/html, not text/plain"),
        ("/files/none", "status 404"),
    ],
)
def test_anything_else_is_refused_with_the_reason(ehr_url: str, path: str, words: str) -> None:
    with pytest.raises(FetchError, match=words):
        get(ehr_url, path)


def test_what_is_not_allowed_is_never_asked_for(ehr_url: str, ehr: object) -> None:
    with pytest.raises(NotAllowed):
        get(ehr_url, "/files/far")
    assert [path for path, _ in ehr.asked] == ["/files/far"]  # type: ignore[attr-defined]


def test_a_server_that_is_not_there_is_an_error(ehr_url: str) -> None:
    settings = InteropSettings(allowed_servers=("http://127.0.0.1:9",), fetch_seconds=1.0)
    with pytest.raises(FetchError, match="could not be reached"):
        anyio.run(lambda: Fetcher(settings).get("http://127.0.0.1:9/x", {"text/plain"}))
