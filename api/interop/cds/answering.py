"""What each service says of the patient's chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from api.interop.cds.cards import Made, suggestion_card, warning_card
from api.interop.cds.gathering import Gathered
from api.interop.cds.schemas import HookRequest
from api.interop.charts import put_to_review, resources_in
from api.interop.fhir.reading import Chart, DocumentSource, Extracted, chart_of
from api.interop.fhir.suggesting import codes_of, suggested
from api.interop.fhir.systems import URLS, system_of
from api.store.base import now
from api.store.database import Database
from api.store.interop import CardRow
from codeassist.note import note_from_record
from codeassist.terminology.store import Store, normal_key

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

SOURCE_LABEL = "codeassist"


@dataclass(frozen=True, slots=True)
class Desk:
    """What an answer is made with: who asks, and under which address the review page is."""

    database: Database
    assistant: CodeAssistant
    user: str
    base: str
    lock_minutes: int
    max_characters: int


def cards(
    service: str, sent: HookRequest, gathered: Gathered, texts: list[Extracted], unread: int, desk: Desk
) -> list[Any]:
    """The cards for a call, kept so that feedback finds them. None where there is nothing to say."""
    new = resources_in(sent.context.conditions)
    chart = _chart(sent, gathered, texts, _wording(new))
    source = {"label": SOURCE_LABEL, "url": desk.base}
    warning = warning_card(_wrong_codes(new, desk.assistant.terminology), None, source)
    made: list[Made | None] = [warning]
    number: int | None = None
    if chart is not None:
        record = chart.record()
        note = note_from_record(record)
        note.check_length(desk.max_characters)
        number, result = put_to_review(desk.database, desk.user, desk.lock_minutes, record, desk.assistant)
        coded = suggested(chart, note, result)
        on_list = codes_of([*gathered.by_key.get("conditions", []), *new])
        kept = [i for i in coded.items if not _listed(i, on_list)]
        card = suggestion_card(replace(coded, items=kept), f"{desk.base}/reviews/{number}", source)
        if card is not None and unread:
            card.card["detail"] += f"\n\nDocuments that could not be read: {unread}."
        made.append(card)
    shown = [m for m in made if m is not None]
    _keep(desk.database, service, number, shown)
    return [m.card for m in shown]


def _keep(database: Database, service: str, review: int | None, shown: list[Made]) -> None:
    with database.writing() as session:
        for made in shown:
            behind = {key: dict(code) for key, code in made.suggestions.items()}
            session.add(
                CardRow(uuid=made.card["uuid"], service=service, review_id=review, suggestions=behind, made=now())
            )


def _chart(
    sent: HookRequest, gathered: Gathered, texts: list[Extracted], wording: tuple[DocumentSource, ...]
) -> Chart | None:
    if not texts and not wording:
        return None
    context = sent.context
    encounter = f"Encounter/{context.encounterId}" if context.encounterId else None
    chart = chart_of(gathered.collected(), texts, wording)
    return replace(chart, subject=f"Patient/{context.patientId}", encounter_reference=encounter)


def _wording(new: list[Mapping[str, Any]]) -> tuple[DocumentSource, ...]:
    """The problems that are being added, in the clinician's words, as a note of their own."""
    words = [_words(resource.get("code", {})) for resource in new if resource["resourceType"] == "Condition"]
    lines = [f"{place}. {text}" for place, text in enumerate(filter(None, words), 1)]
    if not lines:
        return ()
    return (DocumentSource("problem-list-item", "\n".join(["Assessment and Plan:", *lines]), "", "progress"),)


def _words(code: Mapping[str, Any]) -> str:
    text = code.get("text") or next((c["display"] for c in code.get("coding", []) if "display" in c), "")
    return " ".join(str(text).split())


def _listed(item: Mapping[str, Any], on_list: set[tuple[str, str]]) -> bool:
    key = normal_key(item["code"])
    return any(system_of(url) == item["system"] and normal_key(code) == key for url, code in on_list)


def _wrong_codes(new: list[Mapping[str, Any]], store: Store) -> list[str]:
    """What is wrong with the ICD-10-CM codes that are being added, one sentence each."""
    found = []
    today = store.day(date.today())
    for url, code in sorted(codes_of(new)):
        if url != URLS["icd-10-cm"]:
            continue
        row = store.row("icd-10-cm", code)
        if row is None:
            found.append(f"{code[:20]} is no ICD-10-CM code.")
        elif not store.billable[row]:
            found.append(f"{store.code(row)} {store.title(row)} is a category: choose a code below it.")
        elif not store.valid(today)[row]:
            after = ", ".join(store.code(r) for r in store.successors(row, today)[:5])
            found.append(f"{store.code(row)} is not valid today{f'; in its place: {after}' if after else ''}.")
    return found
