"""Verifies Signature Version 4, with which AWS clients sign their requests.

Source: AWS General Reference, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from starlette.datastructures import URL

SKEW = timedelta(minutes=5)
SERVICE = "comprehendmedical"
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s/]+)/(\d{8})/([^,\s/]+)/([^,\s/]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)
_NEEDED = frozenset({"host", "x-amz-date"})


class SignatureRefused(Exception):
    """The request is not signed as it should be. ``code`` is the name that AWS gives the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as its signature covers it."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes


def verify(request: Signed, secrets: Mapping[str, str], moment: datetime | None = None) -> str:
    """The access key id that signed the request. Raises :class:`SignatureRefused`."""
    found = _HEADER.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise SignatureRefused("MissingAuthenticationTokenException", "The request has no signature of version 4.")
    key_id, day, region, service, listed, sent = found.groups()
    names = listed.split(";")
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, day, moment or datetime.now(UTC))
    secret = secrets.get(key_id)
    if secret is None:
        raise SignatureRefused("UnrecognizedClientException", "The access key id is not known here.")
    if not set(names) >= _NEEDED or service != SERVICE:
        raise SignatureRefused("IncompleteSignatureException", "Sign host and x-amz-date, for comprehendmedical.")
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = hashlib.sha256(_canonical(request, names).encode("utf-8")).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, canonical))
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request", text):
        key = hmac.new(key, part.encode("utf-8"), hashlib.sha256).digest()
    if not hmac.compare_digest(key.hex(), sent):
        raise SignatureRefused("InvalidSignatureException", "The signature does not match the request.")
    return key_id


def _canonical(request: Signed, names: list[str]) -> str:
    query = sorted(
        (quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~"))
        for name, _, value in (pair.partition("=") for pair in request.url.query.split("&") if pair)
    )
    return "\n".join(
        (
            request.method,
            quote(request.url.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _check_time(stamp: str, day: str, moment: datetime) -> None:
    try:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRefused("IncompleteSignatureException", "X-Amz-Date has to be a time.") from None
    if not stamp.startswith(day) or abs(signed - moment) > SKEW:
        raise SignatureRefused("InvalidSignatureException", "The signature is not of the last five minutes.")
