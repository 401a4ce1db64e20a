"""Passwords: the rules for new ones, and Argon2id (RFC 9106)."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

from api.auth.errors import AccountError

SHORTEST, LONGEST = 12, 1024
"""Characters of a password (NIST SP 800-63B asks for 8 at least, and for no rules on what they are)."""
LEAST_BESIDE_NAME = 8
"""Characters, digits and signs at the ends left out, that a password has beside the user's name."""
_AROUND = "0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class Passwords:
    """Hashes and checks passwords. Each hash takes ``memory_kib`` of memory: few are made at a time."""

    def __init__(self, passes: int, memory_kib: int) -> None:
        self._passes, self._memory_kib = passes, memory_kib
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._dummy = self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The Argon2id hash, with its salt and parameters."""
        return self._hasher.hash(_normal(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether ``kept`` is of this password; ``None`` takes as long as a wrong password does, and is ``False``."""
        try:
            right = self._hasher.verify(kept or self._dummy, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None

    def digest(self, data: bytes, about: str) -> str:
        """64 hexadecimal digits that tell whether data that holds a password is the same as before: as slow to try out
        as the password's own hash, and the same for the same ``about``, which stands in place of a random salt."""
        salt = hashlib.sha256(about.encode()).digest()
        return hash_secret_raw(data, salt, self._passes, self._memory_kib, 1, 32, Type.ID).hex()

    def outdated(self, kept: str) -> bool:
        """Whether the parameters have changed since the hash was made."""
        return self._hasher.check_needs_rehash(kept)


def check_password(password: str, name: str) -> None:
    """Raise :class:`AccountError` that says what a new password lacks. It never quotes the password."""
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise AccountError(f"the password has {SHORTEST} to {LONGEST:,} characters")
    folded = plain.casefold()
    if name and name in folded and len(folded.replace(name, "").strip(_AROUND)) < LEAST_BESIDE_NAME:
        raise AccountError("the password is the name with little around it")
    if len(set(folded)) < 5:
        raise AccountError("the password repeats too few characters")
    if {folded, folded.replace(" ", ""), folded.strip(_AROUND)} & common_passwords():
        raise AccountError("the password is one that is tried first: take several words that nobody would guess")


@cache
def common_passwords() -> frozenset[str]:
    """What is tried first, in lower case; digits and signs around it are left out."""
    text = resources.files("api.auth").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _normal(password: str) -> str:
    """One form of characters that can be typed in several ways, as SP 800-63B advises."""
    return unicodedata.normalize("NFKC", password)
