"""Public keys of trusted parties: JWK Sets from files of the site or from their own addresses, kept for a while."""

from __future__ import annotations

import json
import time
from collections import OrderedDict

import anyio.to_thread
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.interop.fetching import Fetcher, FetchError
from api.interop.settings import InteropSettings, KeySource
from api.interop.tokens import TokenRefused

KEPT_SECONDS = 300.0
AGAIN_SECONDS = 30.0
"""A key that is not in a set kept is looked for again, but not more often than this."""
MOST_SETS = 64
MOST_KEYS = 50
_TYPES = frozenset({"application/json", "application/jwk-set+json"})
_KINDS = frozenset({"RSA", "EC"})


class Keys:
    """Key sets by address. At most :data:`MOST_SETS` are kept, the one used longest ago goes first."""

    def __init__(self, settings: InteropSettings) -> None:
        self._settings = settings
        self._kept: OrderedDict[str, tuple[float, KeySet]] = OrderedDict()

    async def of(self, source: KeySource, kid: object) -> KeySet:
        """The keys of a party, fetched again when ``kid`` is new. Raises :class:`TokenRefused`."""
        if source.jwks is not None:
            path = source.jwks
            try:
                return key_set(await anyio.to_thread.run_sync(path.read_bytes))
            except OSError:
                raise TokenRefused("the keys of the issuer can't be read") from None
        assert source.jwks_url is not None
        return await self._at(source.jwks_url, kid)

    async def _at(self, url: str, kid: object) -> KeySet:
        made, keys = self._kept.get(url, (0.0, None))
        age = time.monotonic() - made
        if keys is not None and (age < AGAIN_SECONDS or (age < KEPT_SECONDS and any(k.kid == kid for k in keys.keys))):
            self._kept.move_to_end(url)
            return keys
        try:
            # the site itself has set this address, so it is allowed beside the servers on the list
            fetched = await Fetcher(self._settings, [url]).get(url, _TYPES)
        except FetchError as error:
            raise TokenRefused(f"the keys of the issuer can't be fetched: {error}") from None
        found = key_set(fetched.data)
        self._kept[url] = time.monotonic(), found
        self._kept.move_to_end(url)
        while len(self._kept) > MOST_SETS:
            self._kept.popitem(last=False)
        return found


def key_set(data: bytes) -> KeySet:
    """The RSA and EC keys of a JWK Set; symmetric keys are left out. Raises :class:`TokenRefused`."""
    try:
        rows = json.loads(data)["keys"]
        public = [row for row in rows if isinstance(row, dict) and row.get("kty") in _KINDS and "d" not in row]
        if len(rows) > MOST_KEYS:
            raise TokenRefused(f"the keys of the issuer are more than {MOST_KEYS}")
        return KeySet.import_key_set({"keys": public})
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenRefused("the keys of the issuer are no JWK Set") from None
