"""Names of persons, addresses and institutions, by rules of our own over word lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from training.deidentify.kinds import Identifier, Kind

_CAP = r"(?:[A-Z][a-z]+(?:['’-][A-Z][a-z]+)?|Mc[A-Z][a-z]+|Mac[A-Z][a-z]+|O['’][A-Z][a-z]+|De[A-Z][a-z]+)"
_INITIAL = r"[A-Z]\."
_PARTICLE = r"(?:de|del|de la|van der|van|von|al|el|la|di)"
_NAME = (
    rf"(?:{_PARTICLE}[ \t]+)?(?:{_INITIAL}[ ]?){{0,2}}{_CAP}(?:[ \t]+(?:{_INITIAL}|[A-Z](?=[ \t]+{_CAP})))?"
    rf"(?:[ \t]+(?:{_PARTICLE}[ \t]+)?{_CAP}){{0,2}}"
)
_UPPER = r"[A-Z][A-Z'’-]+(?:,?[ \t]+[A-Z][A-Z'’-]+){1,2}(?:[ \t]+[A-Z]\b\.?)?"
_DEGREE = (
    r"(?:M\.?D|D\.?O|R\.?N|N\.?P|PA-C|P\.?A|Ph\.?D|PharmD|DPM|DDS|DMD|LPN|LVN|CRNA|CNM|FNP(?:-C|-BC)?|APRN|ARNP|LCSW|"
    r"MSW|RD|PT|DPT|OTR|FACS|FACC|FACP|MBBS|CNA|CMA|RT)\b\.?"
)
_LABEL = (
    r"(?:Patient(?: Name)?|Pt(?: Name)?|Name|Attending(?: Physician)?|Surgeon|Assistant(?: Surgeon)?|Anesthesiologist|"
    r"Provider|PCP|Primary Care(?: Physician| Provider)?|Referring(?: Physician| Provider)?|Consultant|Dictated [Bb]y|"
    r"Transcribed [Bb]y|(?:Electronically )?[Ss]igned(?: [Bb]y)?|Author(?:ed [Bb]y)?|Resident|Emergency [Cc]ontact|"
    r"Next of [Kk]in|Guarantor|Physician|Nurse|Interpreter|Reported [Bb]y|Reviewed [Bb]y|Cosigned [Bb]y|CC|Cc|"
    r"Ordering (?:Physician|Provider)|Scribe|Radiologist|Pathologist|Cardiologist|Witness|Subscriber|Contact)"
)
_RELATIVE = (
    r"(?:husband|wife|spouse|son|daughter|mother|father|brother|sister|partner|friend|neighbor|niece|nephew|aunt|uncle|"
    r"grandson|granddaughter|grandmother|grandfather|caregiver|roommate|girlfriend|boyfriend|fianc[eé]e?|guardian)"
)
_PERSON = (
    (
        re.compile(
            rf"\b(?:Mr|Mrs|Ms|Mx|Dr|Drs|Prof|Rev|Sr|Sgt|Capt|Miss|Doctor|Professor|Father|Pastor|Officer)\b\.?[ \t]+"
            rf"(?P<name>{_NAME})"
        ),
        4,
    ),
    (re.compile(rf"\b{_LABEL}[ \t]*[:#][ \t]*(?:Dr\.?[ \t]+)?(?P<name>{_CAP},[ \t]*{_NAME}|{_NAME}|{_UPPER})"), 4),
    (re.compile(rf"\b(?P<name>{_NAME}),?[ \t]+{_DEGREE}"), 4),
    (re.compile(rf"\b(?i:{_RELATIVE})(?:,|[ \t]+(?i:named|is named|name is))?[ \t]+(?P<name>{_NAME})"), 3),
    (
        re.compile(
            rf"\b(?i:signed|dictated|seen|examined|assisted|performed|transcribed|"
            r"reviewed|discussed|spoke|referred|"
            rf"accompanied|reported|newborn|infant|baby|child|mother|father)"
            rf"[ \t]+(?i:by|with|of)[ \t]+(?P<name>{_CAP}[ \t]+(?:{_INITIAL}[ \t]+)?{_CAP})"
        ),
        3,
    ),
)
_PAIR = re.compile(rf"(?=\b(?P<whole>(?P<first>{_CAP})[ \t]+(?:(?:{_INITIAL}|[A-Z])[ \t]+)?(?P<last>{_CAP})\b))")
_REVERSED = re.compile(rf"\b(?P<whole>(?P<last>{_CAP}),[ \t]+(?P<first>{_CAP})(?:[ \t]+[A-Z]\b\.?)?)")
_EPONYM_NOUN = (
    r"(?!['’]s|[ -](?:[A-Z][a-z]+[ -])?(?:disease|syndrome|sign|test|palsy|catheter|fracture|lymphoma|ulcer|score|"
    r"scale|hernia|procedure|repair|operation|drain|tube|contracture|thyroiditis|phenomenon|esophagus|criteria))"
)
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Circle|Cir|Place|Pl|Way|Terrace|Ter|"
    r"Parkway|Pkwy|Highway|Hwy|Trail|Trl|Square|Sq)\b\.?"
)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY DC"
)
_STATE = rf"(?:{'|'.join(_STATES.split())})"
_CITY = rf"{_CAP}(?:[ ]{_CAP}){{0,2}}"
_PLACES = (
    (
        re.compile(
            rf"\b\d{{1,6}}(?:[ ][NSEW]\.?)?(?:[ ](?:{_CAP}|\d+(?:st|nd|rd|th))){{1,3}}[ ]{_STREET}"
            rf"(?:,?[ ](?:Apt|Apartment|Unit|Suite|Ste|#)\.?[ ]?[\w-]+)?"
            rf"(?:,?[ \n]+{_CITY})?(?:,[ ]{_STATE}\b)?(?:[ ]+\d{{5}}(?:-\d{{4}})?)?"
        ),
        5,
    ),
    (re.compile(r"\bP\.?[ ]?O\.?[ ]Box[ ]\d+", re.I), 5),
    (re.compile(rf"\b{_CITY},[ ]{_STATE}(?:[ ]+\d{{5}}(?:-\d{{4}})?|\b)"), 4),
    (
        re.compile(
            rf"\b(?i:lives|living|resides|residing|resident|relocated|moved|traveled|native|born|raised|returned)[ ]"
            rf"(?:in|to|of|from)[ ](?P<name>{_CITY})"
        ),
        3,
    ),
    (re.compile(r"\b(?i:zip)(?:[ ](?i:code))?[ :]+(?P<name>\d{5}(?:-\d{4})?)\b"), 4),
)
_INSTITUTION = re.compile(
    rf"\b(?P<name>(?:St\.?[ ])?{_CAP}(?:['’]s)?(?:[ ](?:{_CAP}(?:['’]s)?|of)){{0,3}}?)[ ]"
    r"(?P<type>Hospital|Medical Center|Health System|Healthcare|Nursing Home|Nursing Facility|Clinic|Hospice|"
    r"Rehabilitation Center|Surgery Center|Elementary School|High School|University|Pharmacy|Manor|Assisted Living)\b"
)
_GENERIC = re.compile(
    r"^(?:The|This|Our|Your|Same|Outpatient|Inpatient|Emergency|Pain|Wound|Sleep|Primary|Family|Internal|Urgent|General|"
    r"Skilled|Eye|Heart|Stroke|Infusion|Coumadin|Anticoagulation|Diabetes|Dialysis|Cardiology|Surgery|Surgical|Medical|"
    r"Oncology|Cancer|Ortho\w*|Pediatric|Women|Children|Community|Local|Another|Day|Walk|Home|Long|Short|Acute|Burn|"
    r"Trauma|Veterans?|Memory|Fracture|Spine|Hand|Foot|Hospital|Retail|Mail|Psychiatric|Behavioral|Mental|[A-Z][a-z]+(?:ology|iatry))\b"
)


def _words(name: str) -> frozenset[str]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return frozenset(w.lower() for line in lines if not line.startswith("#") for w in line.split())


@cache
def lists() -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    """First names, last names, eponyms and words that are no names, in lower case."""
    return tuple(_words(f"{n}.txt") for n in ("first_names", "last_names", "eponyms", "not_names"))  # type: ignore[return-value]


@cache
def given_names() -> frozenset[str]:
    """First names that are nothing else, and so are names wherever they stand."""
    first, last, eponyms, plain = lists()
    return first - last - eponyms - plain - _words("given_words.txt")


def find_names(text: str) -> list[Identifier]:
    """Names after a title, a label or a relative, before a degree, by the word lists, and wherever such a name comes
    again in the text."""
    first, last, eponyms, plain = lists()
    found: dict[tuple[int, int], int] = {}
    for pattern, certainty in _PERSON:
        for m in pattern.finditer(text):
            span = _trimmed(text, *m.span("name"), certainty < 4)
            if span:
                found[span] = max(certainty, found.get(span, 0))
    for pattern in (_PAIR, _REVERSED):
        for m in pattern.finditer(text):
            a, b = m["first"].lower(), m["last"].lower()
            known = (a in first) + (b in last)
            if known == 2 or (pattern is _PAIR and a in first - plain and b not in plain | eponyms):
                found.setdefault(m.span("whole"), 3 if known == 2 else 2)
    for m in re.finditer(r"\b[A-Z][a-z]{2,}\b", text):
        if m[0].lower() in given_names():
            found.setdefault(m.span(), 1)
    for word in {w for s, e in found for w in re.findall(r"[A-Z][\w'’-]{2,}", text[s:e])}:
        bare = word.lower().removesuffix("'s")
        if bare in plain:
            continue
        named = _EPONYM_NOUN if bare in eponyms else ""
        for m in re.finditer(rf"\b(?:{re.escape(word)}|{re.escape(word.upper())})\b{named}", text):
            found.setdefault(m.span(), 1)
    return [Identifier(s, e, "name", c) for (s, e), c in found.items()]


def _trimmed(text: str, start: int, end: int, protect: bool) -> tuple[int, int] | None:
    """A name without the words at its ends that belong to no name; ``None`` where none is left. With ``protect`` an
    eponym alone ("sister Parkinson disease") is no name."""
    _, _, eponyms, plain = lists()
    words = [m.span() for m in re.finditer(r"\S+", text[start:end])]
    bare = [text[start + s : start + e].strip(",.").lower().removesuffix("'s") for s, e in words]
    while words and bare[-1] in plain and len(bare[-1]) > 1:
        words.pop()
        bare.pop()
    while words and bare[0] in plain:
        words.pop(0)
        bare.pop(0)
    if not words or (protect and all(b in eponyms for b in bare)):
        return None
    s, e = start + words[0][0], start + words[-1][1]
    return s, e - (text[s:e].endswith(","))


def find_places(text: str) -> Iterator[Identifier]:
    """Street and postal addresses, cities with their state or where somebody lives, and named institutions."""
    for pattern, certainty in _PLACES:
        for m in pattern.finditer(text):
            kind: Kind = "address"
            yield Identifier(*m.span("name" if "name" in pattern.groupindex else 0), kind, certainty)
    for m in _INSTITUTION.finditer(text):
        if not _GENERIC.match(m["name"]):
            yield Identifier(m.start("name"), m.end("type"), "organization", 4)
