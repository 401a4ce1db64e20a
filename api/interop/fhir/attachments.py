"""Attachments: data as it stands or fetched from an allowed address, checked by hash and size where given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from api.errors import Problem
from api.interop.fetching import Fetcher, FetchError, allowed, media_type_of
from api.interop.fhir.texts import READERS

_RESOURCES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})


@dataclass(frozen=True, slots=True)
class Source:
    """From where addresses may be fetched: the FHIR server that relative ones belong to, and its token."""

    fetcher: Fetcher
    server: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an attachment with their type."""

    data: bytes
    media_type: str
    charset: str | None


def choose(contents: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of the formats in which a document is at hand, the one that says its text best: plain text first, PDF last.

    Raises the problem ``invalid-input`` when none can be read.
    """
    order = list(READERS)
    found = [a for c in contents if (a := c.get("attachment")) and _type(a) in READERS]
    if not found:
        types = ", ".join(_type(c.get("attachment", {})) or "no type" for c in contents)[:200]
        raise Problem("invalid-input", f"No attachment can be read ({types}): send one of {', '.join(READERS)}.")
    return min(found, key=lambda a: (order.index(_type(a)), "data" not in a))


async def content_of(attachment: Mapping[str, Any], source: Source) -> Content:
    """What an attachment holds. Raises the problem ``fetch-failed`` or ``invalid-input``."""
    media_type, charset = media_type_of(attachment.get("contentType", ""))
    if "data" in attachment:
        data = decoded(attachment["data"])
    elif "url" in attachment:
        data, sent_charset = await _fetched(attachment["url"], media_type, source)
        charset = charset or sent_charset
    else:
        raise Problem("invalid-input", "The attachment has neither data nor url.")
    if len(data) > source.fetcher.settings.max_fetch_bytes:
        raise Problem(
            "body-too-large", f"An attachment has more than {source.fetcher.settings.max_fetch_bytes:,} bytes."
        )
    _check(attachment, data)
    return Content(data, media_type, charset)


def decoded(value: object) -> bytes:
    """The bytes of a base64Binary; raises the problem ``invalid-input``."""
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (ValueError, binascii.Error):
        raise Problem("invalid-input", "The attachment's data is no base64.") from None


async def _fetched(url: str, media_type: str, source: Source) -> tuple[bytes, str | None]:
    token = None
    if not urlsplit(url).scheme:
        if source.server is None:
            raise Problem("fetch-failed", "The attachment's url is relative, and no FHIR server is given.")
        url = urljoin(f"{source.server.rstrip('/')}/", url)
    if source.server is not None and allowed(url, [source.server]):
        token = source.token
    try:
        fetched = await source.fetcher.get(url, {media_type, *_RESOURCES}, token)
    except FetchError as error:
        raise Problem("fetch-failed", f"The attachment can't be fetched: {error}.") from None
    if fetched.media_type == media_type:
        return fetched.data, fetched.charset
    try:
        binary = json.loads(fetched.data)
        kind, sent, data = binary["resourceType"], media_type_of(binary["contentType"]), binary["data"]
    except (ValueError, KeyError, TypeError):
        raise Problem(
            "fetch-failed", "The attachment's url gave neither the document nor a Binary with data."
        ) from None
    if kind != "Binary" or sent[0] != media_type:
        raise Problem("fetch-failed", f"The attachment's url gave {kind} of type {sent[0]}, not {media_type}.")
    return decoded(data), sent[1]


def _check(attachment: Mapping[str, Any], data: bytes) -> None:
    size, digest = attachment.get("size"), attachment.get("hash")
    if size is not None and size != len(data):
        raise Problem("fetch-failed", f"The attachment has {len(data):,} bytes, not the {size:,} that its size says.")
    # FHIR's Attachment.hash is SHA-1 by definition: it finds damage, and is no protection against forgery
    found = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if digest is not None and not hmac.compare_digest("".join(str(digest).split()).encode(), found.encode()):
        raise Problem("fetch-failed", "The attachment's content does not have the hash that it gives.")


def _type(attachment: Mapping[str, Any]) -> str:
    return media_type_of(attachment.get("contentType", ""))[0]
