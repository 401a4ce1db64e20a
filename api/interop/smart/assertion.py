"""How codeassist proves to an EHR who it is: a short-lived JWT signed with its own key (``private_key_jwt``).

Source: SMART App Launch 2.2, "Client Authentication: Asymmetric (public key)"; RFC 7523.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from api.interop.settings import InteropSettings
from codeassist.errors import InputError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECONDS = 240
"""How long an assertion is good; the standard allows five minutes."""
_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private keys of one file: the first signs, and the public parts of all are published, so that a key can be
    replaced while EHRs keep the old set."""

    algorithm: str
    key: RSAKey | ECKey
    public: tuple[Mapping[str, Any], ...]

    def assertion(self, client: str, token_endpoint: str) -> str:
        """The JWT for one request at a token endpoint."""
        now = int(time.time())
        claims = {
            "iss": client,
            "sub": client,
            "aud": token_endpoint,
            "iat": now,
            "exp": now + SECONDS,
            "jti": uuid4().hex,
        }
        header = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def signing_keys(settings: InteropSettings) -> Mapping[str, SigningKey]:
    """The keys by the ``iss`` of the EHR that they are for. Raises :class:`codeassist.errors.InputError`."""
    files = {iss: ehr.private_key for iss, ehr in settings.smart_ehrs.items()}
    return {iss: read_key(path) for iss, path in files.items() if path is not None}


def read_key(path: Path) -> SigningKey:
    """The key of a file that holds a private JWK or a JWK Set: RSA of 2,048 bits or more, or EC P-384, with a ``kid``.

    Raises :class:`codeassist.errors.InputError`, which never quotes the file.
    """
    try:
        found = json.loads(path.read_bytes())
        keys = [import_key(row) for row in found.get("keys", [found])]
    except OSError as error:
        raise InputError(f"the private_key {path} can't be read: {error.strerror}") from None
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"the private_key {path} is no JWK") from None
    if not keys:
        raise InputError(f"the private_key {path} holds no key")
    usable = [_algorithm(key) if key.is_private and key.kid else None for key in keys]
    if None in usable:
        raise InputError(f"the private_key {path} is no private key of RSA (2,048 bits) or EC P-384 with a kid")
    first, algorithm = keys[0], usable[0]
    assert isinstance(first, RSAKey | ECKey)
    assert algorithm is not None
    public = tuple(
        {**key.as_dict(private=False), "kid": key.kid, "use": "sig", "alg": usable[place]}
        for place, key in enumerate(keys)
    )
    return SigningKey(algorithm, first, public)


def published(keys: Mapping[str, SigningKey]) -> dict[str, Any]:
    """The JWK Set that EHRs verify assertions with: each key once."""
    rows = {row["kid"]: dict(row) for signing in keys.values() for row in signing.public}
    return {"keys": list(rows.values())}


def _algorithm(key: object) -> str | None:
    if isinstance(key, RSAKey) and key.public_key.key_size >= _SMALLEST_RSA:
        return "RS384"
    return "ES384" if isinstance(key, ECKey) and key.curve_name == "P-384" else None
