"""The client: one method for each thing that the API does for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

from codeassist_client.errors import NotReachable, error_of
from codeassist_client.retrying import Retries
from codeassist_client.values import (
    Code,
    Edits,
    LineError,
    Query,
    Result,
    Review,
    Summary,
    read_code,
    read_edits,
    read_query,
    read_result,
    read_review,
    read_summary,
)

JSON = "application/json"
NDJSON = "application/x-ndjson"
Note = Mapping[str, Any]


class Client:
    """Calls the API. Safe for threads; close it, or use it in a ``with``.

    Parameters
    ----------
    address : such as ``http://127.0.0.1:8000``
    key : an API key or an access token, sent as ``Authorization: Bearer``
    timeout : seconds to wait for an answer
    retries : how often, and how long, to wait when the service is busy or starting

    All methods raise :class:`~codeassist_client.ApiError`. A note is the record of the API: ``text`` and, where known,
    ``id``, ``setting``, ``date_of_service``, ``note_type``, ``patient``, ``specialty``; or ``documents``.
    """

    def __init__(
        self, address: str, key: str | None = None, timeout: float = 60.0, retries: Retries | None = None
    ) -> None:
        headers = {"Accept": JSON} if key is None else {"Accept": JSON, "Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout)
        self._retries = retries or Retries()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def suggest(self, note: str | Note) -> Result:
        """Ranked codes for a note: its text, or its record."""
        return read_result(self._send("POST", "/v1/suggestions", _note(note)))

    def suggest_many(self, notes: Iterable[str | Note]) -> Iterator[Result | LineError]:
        """Ranked codes for each note, in order, while the notes are still read: any number of them."""

        def lines() -> Iterator[bytes]:
            for note in notes:
                yield json.dumps(_plain(_note(note)), ensure_ascii=False).encode() + b"\n"

        headers = {"Content-Type": NDJSON, "Accept": NDJSON}
        try:
            with self._http.stream("POST", "/v1/suggestions:batch", content=lines(), headers=headers) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response.status_code, _problem(response))
                for line in response.iter_lines():
                    record = json.loads(line)
                    if "error" in record:
                        yield LineError(record["line"], record["error"]["code"], record["error"]["detail"])
                    else:
                        yield read_result(record)
        except httpx.TransportError as error:
            raise NotReachable(0, {"code": "not-reachable", "detail": str(error)}) from error

    def search(
        self, text: str, system: str | None = None, date_of_service: date | None = None, limit: int = 20
    ) -> list[Code]:
        """Codes by code, title, synonym or abbreviation, best first."""
        asked = {"q": text, "system": system, "date_of_service": date_of_service, "limit": limit}
        return [read_code(r) for r in self._send("GET", "/v1/codes", query=asked)]

    def code(self, system: str, code: str) -> Code:
        """One code as its release defines it. Raises :class:`~codeassist_client.NotFound`."""
        return read_code(self._send("GET", f"/v1/codes/{quote(system, safe='')}/{quote(code, safe='')}"))

    def edits(self, codes: Sequence[str | Mapping[str, Any]], **facts: Any) -> Edits:
        """What the rules say of an encounter's codes, the principal or first one first.

        ``facts`` are ``setting``, ``date_of_service``, ``patient`` and ``text``.
        """
        listed = [{"code": c} if isinstance(c, str) else dict(c) for c in codes]
        return read_edits(self._send("POST", "/v1/edits", {**facts, "codes": listed}))

    def queries(self, note: str | Note) -> list[Query]:
        """Drafts of queries to the physician on what the note leaves open."""
        return [read_query(r) for r in self._send("POST", "/v1/queries", _note(note))]

    def send_to_review(self, note: str | Note, idempotency_key: str | None = None) -> Review:
        """Hand a note to the coders. It is kept once, however often the request has to be sent again; give a key of
        your own to be safe over a restart of your program too."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return read_review(self._send("POST", "/v1/reviews", _note(note), headers=headers))

    def review(self, number: int) -> Review:
        """A review as it stands."""
        return read_review(self._send("GET", f"/v1/reviews/{number}"))

    def worklist(self, **filters: Any) -> Iterator[Summary]:
        """All reviews that the filters let through (``state``, ``setting``, ``specialty``, ``date_from``, ``date_to``,
        ``mine``), page after page."""
        after: int | None = 0
        while after is not None:
            page = self._send("GET", "/v1/reviews", query={**filters, "after": after, "limit": 200})
            yield from (read_summary(r) for r in page["reviews"])
            after = page.get("next")

    def open(self, number: int, take_over: bool = False) -> Review:
        """Lock a review to this user."""
        return read_review(self._send("POST", f"/v1/reviews/{number}/open", {"take_over": take_over}))

    def decide(self, review: Review, kind: str, **details: Any) -> Review:
        """Take, turn down, replace, add or order codes; ``details`` as docs/reviews.md lists them."""
        body = {"version": review.version, "kind": kind, **details}
        return read_review(self._send("POST", f"/v1/reviews/{review.number}/decisions", body))

    def submit(self, review: Review, overrides: Sequence[Mapping[str, Any]] = ()) -> Review:
        """Make the codes final."""
        body = {"version": review.version, "overrides": list(overrides)}
        return read_review(self._send("POST", f"/v1/reviews/{review.number}/submit", body))

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        content = None if body is None else json.dumps(_plain(body), ensure_ascii=False).encode()
        sent = dict(headers or {}) if content is None else {"Content-Type": JSON, **(headers or {})}
        asked = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        # what changes nothing, or is named by a key, may be sent again when no answer came
        safe = method == "GET" or "Idempotency-Key" in sent or not path.startswith("/v1/reviews")
        request = self._http.build_request(method, path, content=content, params=asked, headers=sent)
        response = self._retries.send(self._http, request, safe)
        if not response.is_success:
            raise error_of(response.status_code, _problem(response))
        return response.json()


def _note(note: str | Note) -> Note:
    return {"text": note} if isinstance(note, str) else note


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in record.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
