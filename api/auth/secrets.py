"""Random secrets of sessions and keys, and how they are stored.

They are 256 random bits, so that one SHA-256 is enough: nobody can try 2^256 of them, however fast the hash is. A slow
hash such as Argon2id protects what people make up, and would cost each request of a program a tenth of a second.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

BYTES = 32


def new_secret() -> str:
    """256 random bits, in letters that pass in a header, a cookie and a URL."""
    return secrets.token_urlsafe(BYTES)


def stored(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str) -> bool:
    """Whether ``kept`` is of this secret, in the same time whatever it is."""
    return hmac.compare_digest(stored(secret), kept)
