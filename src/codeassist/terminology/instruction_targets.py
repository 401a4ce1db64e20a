"""Reads the codes that an instructional note names: single codes, ranges, lists, and conditions on characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CODE = r"[A-Z](?:\d[0-9A-Z]|[A-Z]\d)(?:\.[0-9A-Z]{1,4})?(?![0-9A-Z])"
_RANGE = re.compile(rf"(?<![A-Za-z0-9.])(?P<low>{_CODE})(?:\.?-?\s*(?:-|to\b)\s*(?P<high>{_CODE}))?(?P<tail>\.?-?)")
_CHAPTER = re.compile(r"\b[Cc]hapter (?P<number>\d+)")
_LOOKS_LIKE_CODE = re.compile(rf"{_CODE}|\b[A-Z]\d[0-9A-Z]{{1,2}}\.")
_BRACKETS = re.compile(r"\(([^()]*)\)(?:\s*(with\b[^()]*))?")
_WITH = re.compile(r",?\s*\bwith\b(?P<what>.*)$")
_SCOPE = re.compile(r"\bfor codes (?P<codes>.*?), to identify")

_FIFTH = r"(?:fifth|5th)"
_SIXTH = r"(?:sixth|six|6th)"
_VALUES = r"(?P<values>[0-9A-Z](?:-[0-9A-Z])?(?: or [0-9A-Z])?)$"
_FIFTH_OR_SIXTH = re.compile(rf"{_FIFTH} or {_SIXTH} characters? {_VALUES}")
_INTENT = re.compile(rf"{_FIFTH} or {_SIXTH} character to indicate intent")
_FINAL = re.compile(r"final character (?P<values>\d)$")
_ONE_CHARACTER = re.compile(rf"(?P<place>{_FIFTH}|{_SIXTH}|seventh|7th)[ -]character \.?{_VALUES}")
_TWO_CHARACTERS = re.compile(r"fifth to sixth characters (?P<values>\d\d)$")
_OPEN_FRACTURE = re.compile(r"open fracture 7th character$")
_LAST = re.compile(r"final characters -(?P<values>\d\d)$")
_AFTER_DOT = re.compile(r"(?:final characters )?(?P<values>\.\d+-?(?:(?:[.,]? | or |-)(?:or )?\.\d+-?)*)$")
_KETOACIDOSIS = re.compile(r"ketoacidosis$")

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Target:
    """From ``low`` to ``high`` (keys without dots, both with all that is below them), where ``test`` holds.

    ``chapter`` is a chapter's number in place of keys. ``written`` is the target as the note has it.
    """

    low: str
    high: str
    written: str
    test: Test | None = None
    chapter: str = ""


class UnreadableCondition(ValueError):
    """A note puts a condition on its codes in words that are not known here."""


def targets(text: str) -> list[Target]:
    """The targets of a note's line, none for a line without codes.

    Where codes stand in brackets, only those count ("any type in A15 (J65)" means J65); else all in the line.
    Raises :class:`UnreadableCondition` for an unknown condition.
    """
    found = []
    for match in _BRACKETS.finditer(text):
        inside, after = match[1], match[2]
        if _RANGE.search(inside) or _CHAPTER.search(inside):
            condition = after if after and "character" in after else ""
            found += list(_listed(f"{inside} {condition}".strip()))
    return found or list(_listed(_SCOPE.sub("to identify", text)))


def scope(text: str) -> list[Target]:
    """The codes to which a note restricts itself ("for codes G31.0-G31.83, to identify"), else none."""
    match = _SCOPE.search(text)
    return list(_listed(match["codes"])) if match else []


def looks_like_code(text: str) -> bool:
    """Whether something in ``text``, its scope aside, has the form of a code."""
    return bool(_LOOKS_LIKE_CODE.search(_SCOPE.sub("", text)))


def _listed(text: str) -> Iterator[Target]:
    if not (_RANGE.search(text) or _CHAPTER.search(text)):
        return
    codes, test, words = text, None, ""
    condition = _WITH.search(text)
    if condition and (_AFTER_DOT.search(condition["what"].strip()) or "character" in condition["what"]):
        codes, words = text[: condition.start()], condition["what"].strip()
        test = condition_of(words)
        words = f" with {words}"
    elif condition and _KETOACIDOSIS.search(condition["what"]):
        codes, test, words = text[: condition.start()], _after_dot((".1",)), " with ketoacidosis"
    for match in _CHAPTER.finditer(codes):
        yield Target("", "", match[0], chapter=match["number"])
    for match in _RANGE.finditer(codes):
        low, high = match["low"].replace(".", ""), (match["high"] or match["low"]).replace(".", "")
        yield Target(low, high, _written(match) + words, test)


def _written(match: re.Match[str]) -> str:
    if match["high"]:
        return f"{match['low']}-{match['high']}"
    return match[0].rstrip(".")


def condition_of(words: str) -> Test:
    """A test on keys for "fifth or sixth character 5", "7th character B or C", "final characters -91", ".15, .25".

    Raises :class:`UnreadableCondition` for other words.
    """
    if match := _FIFTH_OR_SIXTH.match(words) or _FINAL.match(words):
        return _intent(_values(match["values"]))
    if _INTENT.match(words):
        return _intent("1234")
    if match := _ONE_CHARACTER.match(words):
        place = {"f": 4, "5": 4, "s": 5, "6": 5, "7": 6}[match["place"][0]]
        return _character(6 if match["place"] == "seventh" else place, _values(match["values"]))
    if _OPEN_FRACTURE.match(words):
        return _character(6, "BC")
    if match := _TWO_CHARACTERS.match(words):
        both = match["values"]
        return lambda key: key[4:6] == both
    if match := _LAST.match(words):
        last = match["values"]
        return lambda key: len(key) > 5 and key.endswith(last)
    if match := _AFTER_DOT.match(words):
        text = re.sub(r"(\.\d+)-(\.\d+)", r"\1 \2", match["values"])
        return _after_dot(tuple(re.findall(r"\.\d+", text)))
    raise UnreadableCondition(words)


def _values(text: str) -> str:
    """The characters of ``1-4 or 6``."""
    out = ""
    for part in text.split(" or "):
        low, _, high = part.partition("-")
        out += "".join(chr(c) for c in range(ord(low), ord(high or low) + 1))
    return out


def _intent(values: str) -> Test:
    """Intent stands in the sixth character of T36 to T65; in the fifth where the sixth is a placeholder."""

    def test(key: str) -> bool:
        if len(key) < 6:
            return False
        return (key[4] if key[5] == "X" else key[5]) in values

    return test


def _character(place: int, values: str) -> Test:
    return lambda key: key[place : place + 1] in values if len(key) > place else False


def _after_dot(starts: tuple[str, ...]) -> Test:
    plain = tuple(s[1:] for s in starts)
    return lambda key: key[3:].startswith(plain)
