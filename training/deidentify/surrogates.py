"""What stands in place of an identifier: something of the same kind, the same for the same patient and key."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from training.deidentify.kinds import Kind

FIRST = tuple(
    "Alex Avery Blake Cameron Casey Dana Devon Drew Emery Finley Harper Hayden Jamie Jordan Kendall Logan Morgan "
    "Parker Quinn Reese Riley Robin Rowan Sage Skyler Taylor".split()
)
LAST = tuple(
    "Abbott Alden Barlow Calder Carver Denham Ellery Fairley Garland Halden Ives Kerrigan Lindell Marlow Norwell "
    "Oakes Penrod Quimby Radley Selden Thorley Upton Varden Whitlow Yardley".split()
)
STREETS = ("Alder Street", "Birch Avenue", "Cedar Lane", "Elm Road", "Juniper Drive", "Linden Street", "Maple Avenue")
CITIES = ("Ashford", "Brookdale", "Clearwater", "Eastfield", "Fairhaven", "Greenmont", "Lakeview", "Northbrook")
_MONTHLY = 182


class Surrogates:
    """Replacements for one patient. ``key`` is secret: with it, and only with it, they can be told again.

    Names are neutral ones of a small list: several persons may share one.
    """

    def __init__(self, key: bytes, patient: str) -> None:
        self._key = hmac.digest(key, patient.encode(), "sha256")

    @property
    def days(self) -> int:
        """By how many days the dates of this patient move: between 14 and 182 back or forth, in whole weeks, so that
        days of the week stay."""
        number = self._number("days", "")
        weeks = 2 + number % (_MONTHLY // 7 - 1)
        return 7 * weeks * (-1 if number >> 32 & 1 else 1)

    def replacement(self, kind: Kind, quote: str) -> str:
        """What stands in place of ``quote``; dates and ages are not replaced here."""
        makers = {
            "name": self._name,
            "address": self._address,
            "organization": self._organization,
            "phone": lambda q: f"(555) 555-01{self._number('phone', _digits(q)[-7:]) % 100:02d}",
            "email": lambda q: f"person{self._number('email', q.lower()) % 10_000}@example.org",
            "url": lambda q: f"https://example.org/{self._number('url', q.lower()) % 10_000}",
            "ip": lambda q: f"192.0.2.{self._number('ip', q) % 254 + 1}",
            "ssn": lambda q: f"000-00-{self._number('ssn', _digits(q)) % 10_000:04d}",
            "number": self._same_form,
        }
        return makers[kind](quote)

    def token(self, kind: str, value: str) -> str:
        """A name for a note, patient or coder that tells nothing of the value: 12 hexadecimal digits."""
        return f"{kind}-{hmac.digest(self._key, f'{kind}:{value}'.encode(), hashlib.sha256).hex()[:12]}"

    def _number(self, kind: str, value: str) -> int:
        return int.from_bytes(hmac.digest(self._key, f"{kind}:{value}".encode(), "sha256")[:8], "big")

    def _pick(self, words: Sequence[str], kind: str, value: str) -> str:
        return words[self._number(kind, value) % len(words)]

    def _name(self, quote: str) -> str:
        """Word for word, so that "Miller" and "John Miller" stay one person: the last word of several (the first before
        a comma) is a family name, and so is one alone."""
        words = re.findall(r"[^\W\d_][\w'’.-]*", quote)
        reverse = "," in quote

        def put(m: re.Match[str]) -> str:
            word = m[0]
            if len(word.strip(".")) == 1:
                return self._pick(FIRST, "initial", word)[0] + ("." if word.endswith(".") else "")
            own = re.sub(r"['’]s$", "", word)
            alone = word == (words[0] if reverse else words[-1])
            new = self._pick(LAST if alone else FIRST, "last" if alone else "first", own.lower())
            return (new.upper() if own.isupper() else new) + word[len(own) :]

        return re.sub(r"[^\W\d_][\w'’.-]*", put, quote)

    def _address(self, quote: str) -> str:
        city = self._pick(CITIES, "city", quote.lower())
        if re.fullmatch(r"[\d-]+", quote):
            return "00000"
        if re.match(r"P\.?\s?O", quote, re.I):
            return f"P.O. Box {self._number('box', quote) % 900 + 100}"
        state = re.search(r"\b[A-Z]{2}\b(?=\s*\d{5}|$)", quote)
        town = f"{city}, {state[0]}" if state else city
        if quote[0].isdigit():
            street = f"{self._number('house', quote) % 900 + 100} {self._pick(STREETS, 'street', quote)}"
            return f"{street}, {town}" if "," in quote else street
        return town

    def _organization(self, quote: str) -> str:
        kind = next(k for k in (quote.split(maxsplit=n)[-1] for n in range(8, 0, -1)) if k)
        tail = re.search(
            r"((?:Medical|Surgery|Rehabilitation) Center|Health System|Nursing \w+|Assisted Living|"
            r"(?:High|Elementary) School)$",
            quote,
        )
        return f"{self._pick(CITIES, 'organization', quote.lower())} {tail[0] if tail else kind}"

    def _same_form(self, quote: str) -> str:
        """Digits for digits and letters for letters."""
        digest = hmac.digest(self._key, f"number:{quote.upper()}".encode(), "sha512")
        out = []
        for i, c in enumerate(quote):
            byte = digest[i % len(digest)]
            out.append(str(byte % 10) if c.isdigit() else chr(65 + byte % 26) if c.isalpha() else c)
        return "".join(out)


def _digits(quote: str) -> str:
    return re.sub(r"\D", "", quote)
