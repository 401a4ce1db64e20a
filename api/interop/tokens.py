"""Signed tokens of other parties: RS384 and ES384 only, the right issuer and audience, short-lived, used once.

What CDS Hooks 2.0 ("Trusting CDS Clients") and SMART App Launch 2.2 ("Client Authentication: Asymmetric") ask.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ALGORITHMS: Mapping[str, str] = {"RS384": "RSA", "ES384": "EC"}
"""The algorithms that are taken, each with the only type of key that it is checked with."""
LONGEST = 300
"""How many seconds a token may be good for: five minutes, as both standards advise."""
LEEWAY = 30
"""By how many seconds clocks may differ."""
MAX_TOKEN = 16_000
_SMALLEST_RSA = 2048


class TokenRefused(Exception):
    """The token is not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """Header and claims of a token, before its signature is checked: only to find out whose it says it is."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read_unverified(token: str) -> Unverified:
    """The header and claims that a token states. Raises :class:`TokenRefused` for what is no signed token."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise TokenRefused("the token is no signed JWT")
    try:
        header, claims = (json.loads(_decoded(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        raise TokenRefused("the token is no signed JWT") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenRefused("the token is no signed JWT")
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused(f"the token must be signed with {' or '.join(ALGORITHMS)}")
    if "crit" in header:
        raise TokenRefused("the token has critical header parameters that are not known")
    return Unverified(header, claims)


def verify(token: str, keys: KeySet, audiences: Collection[str]) -> Mapping[str, Any]:
    """The claims of a token whose signature and times are right. Raises :class:`TokenRefused`.

    The header chooses among the issuer's keys only by ``kid``, and the key's type must be the algorithm's own: a
    public key is never used as the secret of an HMAC, nor an RSA key for ES384. Replay is checked by the caller.
    """
    stated = read_unverified(token)
    key = _key(keys, stated.header)
    try:
        verified = jws.deserialize_compact(token.encode("ascii"), key, algorithms=list(ALGORITHMS))
        claims = json.loads(verified.payload)
    except (JoseError, ValueError):
        raise TokenRefused("the signature of the token is not right") from None
    _check_times(claims)
    named = claims.get("aud")
    meant = named if isinstance(named, list) else [named]
    if not any(a in audiences for a in meant if isinstance(a, str)):
        raise TokenRefused("the token is for another audience")
    identity = claims.get("jti")
    if not isinstance(identity, str) or not identity:
        raise TokenRefused("the token has no jti")
    return dict(claims)


def _check_times(claims: Mapping[str, Any]) -> None:
    now = time.time()
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _moment(expires):
        raise TokenRefused("the token has no exp")
    assert isinstance(expires, int | float)
    if expires <= now - LEEWAY:
        raise TokenRefused("the token has expired")
    if expires > now + LONGEST + LEEWAY:
        raise TokenRefused(f"the token is good for more than {LONGEST} seconds")
    for name, value in (("iat", issued), ("nbf", claims.get("nbf"))):
        if value is None:
            continue
        if not _moment(value) or value > now + LEEWAY:
            raise TokenRefused(f"the token's {name} is not a moment that has come")


def _moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53


def _key(keys: KeySet, header: Mapping[str, Any]) -> RSAKey | ECKey:
    algorithm, kid = header["alg"], header.get("kid")
    if not isinstance(kid, str):
        raise TokenRefused("the token's header has no kid")
    for key in keys.keys:
        if key.kid != kid or key.key_type != ALGORITHMS[algorithm]:
            continue
        stated, use = key.as_dict(private=False).get("alg"), key.as_dict(private=False).get("use")
        if stated not in (None, algorithm) or use not in (None, "sig"):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size >= _SMALLEST_RSA:
            return key
        if isinstance(key, ECKey) and key.curve_name == "P-384":
            return key
    raise TokenRefused("the issuer has no such key for this algorithm")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
