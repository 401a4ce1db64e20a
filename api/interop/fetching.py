"""Fetching from servers that the site has allowed, and from nowhere else: no other host, path or scheme, no redirect
off the list, nothing too large, too slow or of another type. An address that a caller gives is never trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import httpx

from api.interop.settings import InteropSettings

REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}


class FetchError(Exception):
    """Nothing was fetched. The message says why, without the answer of the other server."""


class NotAllowed(FetchError):
    """The address is not on the list."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its bytes, its media type in lower case, and the ``charset`` that it names."""

    data: bytes
    media_type: str
    charset: str | None
    url: str


def allowed(url: str, prefixes: Iterable[str]) -> bool:
    """Whether ``url`` begins with one of ``prefixes``: the same scheme, host and port, and a path at or under its path.

    >>> allowed("https://ehr.example/fhir/Patient/1", ["https://ehr.example/fhir"])
    True
    >>> allowed("https://ehr.example.evil/fhir", ["https://ehr.example/fhir"])
    False
    >>> allowed("https://ehr.example/fhir/../admin", ["https://ehr.example/fhir"])
    False
    """
    parts = _split(url)
    return parts is not None and any(_under(parts, prefix) for prefix in map(_split, prefixes) if prefix is not None)


def same_origin(url: str, other: str) -> bool:
    """Whether both addresses have the same scheme, host and port."""
    return _origin(urlsplit(url)) == _origin(urlsplit(other))


def media_type_of(header: str) -> tuple[str, str | None]:
    """The media type in lower case and the charset of a ``Content-Type``.

    >>> media_type_of('Text/Plain; charset="ISO-8859-1"')
    ('text/plain', 'ISO-8859-1')
    """
    message = Message()
    message["Content-Type"] = header
    charset = message.get_param("charset")
    return message.get_content_type() if header else "", charset if isinstance(charset, str) else None


class Fetcher:
    """Fetches what the settings allow. ``prefixes`` are added to the site's list, such as the issuer of a launch."""

    def __init__(self, settings: InteropSettings, prefixes: Iterable[str] = ()) -> None:
        self.settings = settings
        self.prefixes = (*settings.allowed_servers, *prefixes)

    async def get(self, url: str, types: Collection[str], token: str | None = None) -> Fetched:
        """The answer to a GET, which is of one of ``types``. Raises :class:`FetchError`.

        ``token`` is sent as bearer token, and to no other origin when the answer redirects.
        """
        headers = {"Accept": ", ".join(sorted(types)), "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self._fetch("GET", url, headers, types, None)

    async def post_form(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None = None) -> Fetched:
        """The JSON answer to a form. Raises :class:`FetchError`, also for a redirect."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if auth is not None:
            headers["Authorization"] = httpx.BasicAuth(*auth)._auth_header
        return await self._fetch("POST", url, headers, {"application/json"}, form)

    async def _fetch(
        self, method: str, url: str, headers: dict[str, str], types: Collection[str], form: Mapping[str, str] | None
    ) -> Fetched:
        try:
            async with (
                asyncio.timeout(self.settings.fetch_seconds),
                # proxies and passwords of the environment are not for addresses that a caller gives
                httpx.AsyncClient(
                    trust_env=False, follow_redirects=False, timeout=self.settings.fetch_seconds
                ) as client,
            ):
                for _ in range(REDIRECTS + 1):
                    if not allowed(url, self.prefixes):
                        raise NotAllowed(f"{_shown(url)} is not among the servers that this site allows")
                    async with client.stream(method, url, headers=headers, data=form) as response:
                        if not response.is_redirect or method != "GET":
                            return await self._read(response, types)
                        target = urljoin(url, response.headers["location"])
                    if not same_origin(url, target):
                        headers.pop("Authorization", None)
                    url = target
        except TimeoutError:
            raise FetchError(f"{_shown(url)} took longer than {self.settings.fetch_seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"{_shown(url)} could not be reached ({type(error).__name__})") from None
        raise FetchError(f"{_shown(url)} redirects more than {REDIRECTS} times")

    async def _read(self, response: httpx.Response, types: Collection[str]) -> Fetched:
        shown = _shown(str(response.url))
        if response.status_code != 200:
            raise FetchError(f"{shown} answered with status {response.status_code}")
        media_type, charset = media_type_of(response.headers.get("content-type", ""))
        if media_type not in types:
            raise FetchError(
                f"{shown} answered with {media_type or 'no content type'}, not {' or '.join(sorted(types))}"
            )
        data, limit = bytearray(), self.settings.max_fetch_bytes
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > limit:
                raise FetchError(f"{shown} answered with more than {limit:,} bytes")
        return Fetched(bytes(data), media_type, charset, str(response.url))


def _split(url: str) -> SplitResult | None:
    """The parts of an address that can be compared safely, or ``None``."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \\#"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    path = unquote(unquote(parts.path))
    plain = "@" not in parts.netloc and port != 0 and "\\" not in path and ".." not in path.split("/")
    return parts if parts.scheme in _PORTS and parts.hostname and plain else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _under(parts: SplitResult, prefix: SplitResult) -> bool:
    base = prefix.path.rstrip("/")
    return _origin(parts) == _origin(prefix) and (parts.path == base or parts.path.startswith(f"{base}/"))


def _shown(url: str) -> str:
    """An address as an error may show it: without its query, which may name a patient, and cut."""
    return url.split("?", 1)[0][:200] if url.isprintable() else "the address"
