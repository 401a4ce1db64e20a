"""An encounter at the EHR: its resources fetched, coded once, and put to review."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from sqlalchemy.exc import IntegrityError

from api.engine import Engine
from api.errors import Problem
from api.interop.authentication import token_digest
from api.interop.fetching import Fetcher, FetchError, allowed
from api.interop.fhir.attachments import Source
from api.interop.fhir.reading import Extracted, current, extract, read_contents
from api.interop.fhir.resources import bundle_resources, checked
from api.reviews import service
from api.reviews.locks import Actor
from api.store.database import Database
from api.store.interop import SourceRow
from api.store.reviews import ReviewRow
from codeassist.errors import InputError
from codeassist.note import note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
MOST_PAGES = 10


async def fetch_resource(fetcher: Fetcher, server: str, query: str, token: str | None) -> dict[str, Any]:
    """A resource, or the whole of a search result page by page, of a FHIR server.

    Raises :class:`~api.interop.fetching.FetchError`; :class:`~api.errors.Problem` for what is no R4.
    """
    base = f"{server.rstrip('/')}/"
    found = await _fetch(fetcher, urljoin(base, query), token)
    if found["resourceType"] != "Bundle":
        return found
    bundle_resources(found)
    entries, page = list(found.get("entry", [])), found
    for _ in range(MOST_PAGES - 1):
        following = _next_page(page)
        if "_count=" in query or following is None or len(entries) >= fetcher.settings.max_documents:
            break
        address = urljoin(base, following)
        if not allowed(address, [server]):
            raise FetchError("the next page of a search is on another server")
        page = await _fetch(fetcher, address, token)
        bundle_resources(page)
        entries += page.get("entry", [])
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def _next_page(page: Mapping[str, Any]) -> str | None:
    links = page.get("link")
    rows = [x for x in links if isinstance(x, dict)] if isinstance(links, list) else []
    return next((x["url"] for x in rows if x.get("relation") == "next" and isinstance(x.get("url"), str)), None)


def resources_in(value: Any) -> list[Mapping[str, Any]]:
    """The resources of a prefetched value: of a Bundle, or the one that it is."""
    if value is None:
        return []
    found = checked(value, "prefetch")
    return bundle_resources(found) if found["resourceType"] == "Bundle" else [found]


def put_to_review(
    database: Database, user: str, lock_minutes: int, record: Mapping[str, Any], assistant: CodeAssistant
) -> tuple[int, Mapping[str, Any]]:
    """The number of the review of a note, and the result that it shows. The same note is put to review once."""
    digest = token_digest("note", json.dumps(record, sort_keys=True, ensure_ascii=True))
    found = _known(database, digest)
    if found is not None:
        return found
    made = assistant.suggest(note_from_record(record))
    try:
        with database.writing() as session:
            review = service.create(session, Actor(user, timedelta(minutes=lock_minutes)), record, made)
            session.add(SourceRow(digest=digest, review_id=review.id))
            number = review.id
    except IntegrityError:  # somebody else put the same note to review at the same time
        found = _known(database, digest)
        assert found is not None
        return found
    return number, made.as_record()


def _known(database: Database, digest: str) -> tuple[int, Mapping[str, Any]] | None:
    with database.reading() as session:
        row = session.get(SourceRow, digest)
        review = session.get(ReviewRow, row.review_id) if row is not None else None
        return None if review is None else (review.id, review.suggestions.result)


async def readable(
    documents: Sequence[Mapping[str, Any]], source: Source, engine: Engine
) -> tuple[list[Extracted], int]:
    """The current documents with their texts, and how many could not be had or read: one bad file among the documents
    of a stay does not keep the others from being coded."""
    meant = current([d for d in documents if d["resourceType"] == "DocumentReference"])[
        : source.fetcher.settings.max_documents
    ]
    texts: list[Extracted] = []
    for document in meant:
        try:
            read = (await read_contents([document], source))[0]
            texts.append(await engine.run(partial(extract, read)))
        except (Problem, InputError):
            continue
    return texts, len(meant) - len(texts)


async def _fetch(fetcher: Fetcher, url: str, token: str | None) -> dict[str, Any]:
    fetched = await fetcher.get(url, _TYPES, token)
    try:
        return checked(json.loads(fetched.data), "the answer of the FHIR server")
    except (ValueError, RecursionError):
        raise FetchError("the FHIR server's answer is no JSON") from None
    except Problem as problem:
        raise FetchError(f"the FHIR server's answer can't be used: {problem.detail}") from None
