"""A candidate release in shadow beside the one that is shown, on what coders decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from api.reviews.service import coding_of
from api.store.database import Database
from api.store.reviews import ReviewRow
from api.store.shadow import ShadowRow

_FETCHED = 50
Key = tuple[str, str]


def shadow_report(database: Database) -> list[dict[str, Any]]:
    """For each candidate release, the latest first: how many notes it scored, dropped and failed on; how many codes of
    tier ``code`` it shares with the release that was shown; and, on submitted notes, precision, recall and F1 of both
    and on how many codes exactly one of them was right."""
    with database.reading() as session:
        query = select(ShadowRow.sha256, func.max(ShadowRow.version), func.min(ShadowRow.made)).group_by(
            ShadowRow.sha256
        )
        releases = session.execute(query.order_by(func.min(ShadowRow.made).desc())).all()
        states: dict[str, Counter[str]] = {}
        counted = select(ShadowRow.sha256, ShadowRow.state, func.count()).group_by(ShadowRow.sha256, ShadowRow.state)
        for sha256, state, number in session.execute(counted):
            states.setdefault(sha256, Counter())[state] = number
    return [
        {
            "sha256": sha256,
            "version": version,
            **{state: states[sha256][state] for state in ("scored", "dropped", "failed")},
            **_compared(database, sha256),
        }
        for sha256, version, _ in releases
    ]


def _compared(database: Database, sha256: str) -> dict[str, Any]:
    shown, candidate = Counter[str](), Counter[str]()
    alike, only, submitted, after = Counter[str](), Counter[str](), 0, 0
    while True:
        query = select(ReviewRow, ShadowRow.codes).join(ShadowRow, ShadowRow.note_id == ReviewRow.note_id)
        query = query.where(ShadowRow.sha256 == sha256, ShadowRow.state == "scored", ReviewRow.id > after)
        with database.reading() as session:
            rows = [(r.load(), codes) for r, codes in session.execute(query.order_by(ReviewRow.id).limit(_FETCHED))]
        for review, codes in rows:
            live, mine = _coded(review.suggestions.result["suggestions"]), _coded(codes or ())
            alike.update(both=len(live & mine), only_shown=len(live - mine), only_candidate=len(mine - live))
            if review.state == "submitted":
                submitted += 1
                gold = {line.key for line in coding_of(review).lines}
                for total, found in ((shown, live), (candidate, mine)):
                    total.update(right=len(found & gold), coded=len(found), gold=len(gold))
                only.update(shown=0, candidate=0)
                for code in live ^ mine:
                    only["shown" if (code in live) == (code in gold) else "candidate"] += 1
        if len(rows) < _FETCHED:
            break
        after = rows[-1][0].id
    record: dict[str, Any] = {"codes": {n: alike[n] for n in ("both", "only_shown", "only_candidate")}}
    record["submitted"] = submitted
    if submitted:
        record |= {"shown": _figures(shown), "candidate": _figures(candidate), "only_right": dict(only)}
    return record


def _coded(suggestions: Iterable[dict[str, Any]]) -> set[Key]:
    return {(s["system"], s["code"]) for s in suggestions if s["tier"] == "code"}


def _figures(c: Counter[str]) -> dict[str, float]:
    return {
        "precision": round(c["right"] / max(1, c["coded"]), 4),
        "recall": round(c["right"] / max(1, c["gold"]), 4),
        "f1": round(2 * c["right"] / max(1, c["coded"] + c["gold"]), 4),
    }
