"""A proposed order of codes, with a reason for each (guidelines, sections I.A.13, I.C, II and IV).

The given order holds wherever no guideline speaks. Classes of codes have their places (``sequence_ranks.tsv``), and
single codes come before others (``sequence_before.tsv``, and the tabular's own notes); what must come before a code is
drawn forward to stand before it. Where two lines contradict each other, neither counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

from codeassist.rules.case import Case, Line
from codeassist.rules.principal_procedure import procedure_order
from codeassist.rules.sequence_table import Constraint, Marks, marks_of, table

CONDITIONS = 50
"""The place of conditions in no class of their own."""
SYMPTOM = "principal-symptom"
"""The rule of constraints that hold only for a symptom that would be first."""
_ABSENT = "N"
_KEPT = {
    True: ("first as given: the condition chiefly responsible for the admission (II)", "in the order given (III)"),
    False: ("first as given: the reason chiefly responsible for the visit (IV.G)", "in the order given (IV.J)"),
}


class Link(NamedTuple):
    """One diagnosis before another, by their places among the diagnoses, and the constraint that says so."""

    earlier: int
    later: int
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class Plan:
    """The diagnoses in the proposed order, by their places among the diagnoses as given; the links that count."""

    order: tuple[int, ...]
    links: tuple[Link, ...]


_CODE_FIRST = Constraint(None, "any", (), "the tabular's note puts the cause first", "I.A.13: code first")
_USE_ADDITIONAL = Constraint(None, "any", (), "the tabular's note asks for the second", "I.A.13: use additional code")
_TABULAR = (_CODE_FIRST, _USE_ADDITIONAL)
_PLANS: WeakKeyDictionary[Case, Plan] = WeakKeyDictionary()


def plan_of(case: Case) -> Plan:
    """The plan of a case's diagnoses, made once a case."""
    plan = _PLANS.get(case)
    if plan is None:
        plan = _PLANS[case] = _plan(case)
    return plan


def propose_order(case: Case) -> list[tuple[str, str]]:
    """Codes in the order to report them, each with its reason: diagnoses, then procedures, then services."""
    plan, diagnoses, condition = plan_of(case), case.diagnoses, table().ranks["@condition"]
    before: dict[int, Link] = {}
    after: dict[int, Link] = {}
    for link in plan.links:
        after.setdefault(link.later, link)
        before.setdefault(link.earlier, link)
    out = []
    for position, i in enumerate(plan.order):
        line = diagnoses[i]
        rank = marks_of(line.key).rank
        if rank.place < CONDITIONS or (rank is not condition and _only_tabular(after.get(i))):
            reason = f"{rank.reason} ({rank.source})"
        elif i in after:
            reason = _said("after", diagnoses[after[i].earlier], after[i].constraint)
        elif i in before:
            reason = _said("before", diagnoses[before[i].later], before[i].constraint)
        else:
            reason = _KEPT[case.inpatient][position > 0]
        out.append((line.code, reason))
    principal = diagnoses[plan.order[0]] if plan.order else None
    out += [(line.code, reason) for line, reason in procedure_order(case.procedures, principal)]
    return out + [(line.code, "procedures after diagnoses, in the order given") for line in case.services]


def _only_tabular(link: Link | None) -> bool:
    return link is None or link.constraint in _TABULAR


def _said(where: str, other: Line, constraint: Constraint) -> str:
    return f"{where} {other.code}: {constraint.reason} ({constraint.source})"


def _plan(case: Case) -> Plan:
    marks = [marks_of(line.key) for line in case.diagnoses]
    lead = _lead(marks)
    links = _enough([*_links(case, marks, lead), *_tabular(case, marks)])
    follows = _reach(len(marks), links)
    links = [k for k in links if not follows[k.later] >> k.earlier & 1]
    moved = list(_beside(marks, lead, links, follows))
    if moved:
        links += moved
        follows = _reach(len(marks), links)
    places = [_earliest(mark, reached, marks) for mark, reached in zip(marks, follows, strict=True)]
    return Plan(tuple(_ordered(places, links)), tuple(links))


def _lead(marks: Sequence[Marks]) -> int:
    """The diagnosis that is first by its class, then as given; below 0 where there is none."""
    able = [(m.rank.place, i) for i, m in enumerate(marks) if not m.rank.beside and m.rank.place <= CONDITIONS]
    return min(able)[1] if able else -1


def _links(case: Case, marks: Sequence[Marks], lead: int) -> list[Link]:
    """For each pair of diagnoses the first constraint that holds."""
    diagnoses, constraints = case.diagnoses, table().constraints
    lefts = rights = 0
    for mark in marks:
        lefts |= mark.left
        rights |= mark.right
    present = lefts & rights
    seconds = [(j, right) for j, m in enumerate(marks) if (right := m.right & present)]
    out = []
    for i, mark in enumerate(marks):
        left = mark.left & present
        if not left:
            continue
        for j, right in seconds:
            both = left & right
            while both:
                bit = both & -both
                constraint = constraints[bit.bit_length() - 1]
                if diagnoses[i].key != diagnoses[j].key and _holds(constraint, case, i, j, lead):
                    out.append((bit, Link(i, j, constraint)))
                    break
                both ^= bit
    out.sort(key=lambda found: found[0])
    return [link for _, link in out]


def _tabular(case: Case, marks: Sequence[Marks]) -> Iterator[Link]:
    """What the tabular's notes on codes and categories put in order.

    "Use additional code" leaves the choice of the first code to the circumstances, and "code first ... such as" names
    only some of the causes: these keep an order that is given, and change none.
    """
    held = [(i, line.row) for i, line in enumerate(case.diagnoses) if line.row >= 0]
    rows = [row for _, row in held]
    notes = case.store.instructions
    places = [marks[i].rank.place for i, _ in held]
    for later, earlier, note in notes.links(rows, "code_first", groups=False):
        if places[earlier] <= places[later] and (earlier < later or not note.examples):
            yield Link(held[earlier][0], held[later][0], _CODE_FIRST)
    for earlier, later, _ in notes.links(rows, "use_additional_code", groups=False):
        if places[earlier] <= places[later] and earlier < later:
            yield Link(held[earlier][0], held[later][0], _USE_ADDITIONAL)


def _enough(links: Sequence[Link]) -> list[Link]:
    """The links of each pair but the first left out, and those of further causes where one stands before already."""
    served = {(k.later, k.constraint.reason) for k in links if k.earlier < k.later and k.constraint.rule is None}
    out: dict[tuple[int, int], Link] = {}
    for link in links:
        pair = (link.earlier, link.later)
        if pair in out or pair[::-1] in out:
            continue
        if link.earlier < link.later or (link.later, link.constraint.reason) not in served:
            out[pair] = link
    return list(out.values())


def _beside(marks: Sequence[Marks], lead: int, links: Sequence[Link], follows: Sequence[int]) -> Iterator[Link]:
    """What stands beside a condition, before the first condition and bound to no other: after that one."""
    bound = {link.later for link in links}
    for i, mark in enumerate(marks[: max(lead, 0)]):
        if mark.rank.beside and i not in bound and not follows[i] >> lead & 1:
            yield Link(lead, i, Constraint(None, "any", (), mark.rank.reason, mark.rank.source))


def _holds(constraint: Constraint, case: Case, left: int, right: int, lead: int) -> bool:
    when = constraint.when
    if constraint.rule == SYMPTOM and right != lead:
        return False
    if when == "any":
        return True
    if when == "poa":
        return case.diagnoses[left].coded.poa != _ABSENT
    if when == "not-poa":
        return case.diagnoses[right].coded.poa == _ABSENT
    if when == "with":
        return any(line.key.startswith(constraint.within) for line in case.lines)
    return case.inpatient == (when == "inpatient")


def _reach(number: int, links: Sequence[Link]) -> list[int]:
    """For each diagnosis, as bits, all that follow it by one link or several."""
    out = [0] * number
    for link in links:
        out[link.earlier] |= 1 << link.later
    starts = {link.earlier for link in links}
    for middle in starts & {link.later for link in links}:
        for i in starts:
            if out[i] >> middle & 1:
                out[i] |= out[middle]
    return out


def _earliest(mark: Marks, reached: int, marks: Sequence[Marks]) -> int:
    """The place of a diagnosis: its class's own, or an earlier one of what follows it."""
    place = mark.rank.place
    while reached:
        bit = reached & -reached
        place = min(place, marks[bit.bit_length() - 1].rank.place)
        reached ^= bit
    return place


def _ordered(places: Sequence[int], links: Sequence[Link]) -> list[int]:
    """By place, then as given; each drawn forward before what must follow it."""
    first: dict[int, list[int]] = {}
    for link in links:
        first.setdefault(link.later, []).append(link.earlier)
    out: list[int] = []
    done: set[int] = set()

    def put(i: int) -> None:
        done.add(i)
        for j in sorted(first.get(i, ())):
            if j not in done:
                put(j)
        out.append(i)

    for i in sorted(range(len(places)), key=places.__getitem__):
        if i not in done:
            put(i)
    return out
