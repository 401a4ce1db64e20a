"""The order of codes: the principal or first-listed diagnosis, and what must precede what.

The order itself is planned in :mod:`codeassist.rules.sequencing`; this family says where the given one departs from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.sequence_table import expand, kind_of, marks_of
from codeassist.rules.sequencing import CONDITIONS, SYMPTOM, Link, Plan, plan_of
from codeassist.rules.tables import read_table

RULES = read_rules("sequencing")
_ONLY_FIRST = (SYMPTOM, "treatment-first")
"""Rules that speak only when the wrong code is in first place."""
_SEVERE = "R6520"
_SETS = {name: tuple(expand(codes)) for name, codes, _ in read_table("sequence_sets", 3)}
_ORGANS, _INFECTIONS = _SETS["organ-dysfunction"], _SETS["infection"]
_DELIVERIES, _BIRTHS, _SERVICES = _SETS["delivery"], _SETS["delivery-procedure"], _SETS["delivery-service"]
_EXTERNAL = frozenset("VWXY")
_MOST_SHOWN = 8


def check_sequencing(case: Case) -> Iterator[Finding]:
    """Findings on the order of the diagnoses, and on the codes that an order needs."""
    diagnoses = case.diagnoses
    if not diagnoses:
        return
    plan = plan_of(case)
    yield from _broken(diagnoses, plan.links)
    starts = {key[0] for key in case.keys if key}
    if "R" in starts:
        yield from _severe_sepsis(case)
    if "O" in starts:
        yield from _obstetric(case)
    if not starts.isdisjoint("OZ"):
        yield from _newborn(case)
    if "T" in starts:
        yield from _drugs(diagnoses)
    yield from _order(diagnoses, plan)


def _broken(diagnoses: Sequence[Line], links: Sequence[Link]) -> Iterator[Finding]:
    """The links that the given order breaks, those of one rule and one code together."""
    broken: dict[tuple[str, int], list[Link]] = {}
    for link in links:
        rule = link.constraint.rule
        if rule is not None and link.later < link.earlier and (rule not in _ONLY_FIRST or link.later == 0):
            broken.setdefault((rule, link.earlier), []).append(link)
    for (rule, earlier), found in broken.items():
        code = diagnoses[earlier].code
        others = list(dict.fromkeys(diagnoses[link.later].code for link in sorted(found, key=lambda k: k.later)))
        listed, constraint = ", ".join(others), found[0].constraint
        yield RULES[rule].finding(
            f"{listed} {'stands' if len(others) == 1 else 'stand'} before {code}, but {constraint.reason}",
            [code, *others],
            f"put {code} before {listed}",
            f"ICD-10-CM guidelines {constraint.source}",
        )


def _severe_sepsis(case: Case) -> Iterator[Finding]:
    severe = next((line for line in case.diagnoses if line.key.startswith("R652")), None)
    if severe is None:
        return
    others = [line.key for line in case.diagnoses if line is not severe]
    if not any(k.startswith(_INFECTIONS) for k in others):
        yield RULES["severe-sepsis-infection"].finding(
            f"{severe.code} needs the underlying infection before it",
            [severe.code],
            "code the systemic infection first, such as A41.9 when its organism is not documented",
        )
    if severe.key == _SEVERE and not any(k.startswith(_ORGANS) for k in others):
        yield RULES["severe-sepsis-organ"].finding(
            f"{severe.code} means sepsis with acute organ dysfunction, and no such dysfunction is coded",
            [severe.code],
            "code the organ dysfunction, such as N17.9 or J96.01, or remove it when none is documented",
        )


def _obstetric(case: Case) -> Iterator[Finding]:
    diagnoses = case.diagnoses
    obstetric = [line for line in diagnoses if line.key[:1] == "O"]
    normal = [line for line in diagnoses if line.key.startswith(("Z331", "Z34"))]
    for line in normal:
        yield RULES["pregnancy-status"].finding(
            f"{line.code} says that the pregnancy is incidental or normal, beside {obstetric[0].code}",
            [line.code, obstetric[0].code],
            f"remove {line.code}, or the obstetric codes when the provider states that the pregnancy is incidental",
        )
    first = diagnoses[0]
    if first.key[:1] != "O" and first not in normal and not first.key.startswith("Z38"):
        yield RULES["obstetric-first"].finding(
            f"{first.code} stands before {obstetric[0].code}, but obstetric codes come before those of other chapters",
            [obstetric[0].code, first.code],
            f"put {obstetric[0].code} first",
        )
    uncomplicated = next((line for line in obstetric if line.key == "O80"), None)
    complications = [line.code for line in obstetric if line.key[:3] not in ("O80", "O09")]
    if uncomplicated is not None and complications:
        yield RULES["uncomplicated-delivery"].finding(
            f"O80 is a delivery without complication, but {', '.join(complications)} is coded",
            ["O80", *complications],
            "remove O80; the complication comes first",
        )
    delivered = any(line.key.startswith(_DELIVERIES) for line in obstetric)
    delivered = delivered or any(line.key.startswith(_BIRTHS) for line in case.procedures)
    delivered = delivered or any(line.key in _SERVICES for line in case.services)
    if delivered and not any(line.key.startswith("Z37") for line in diagnoses):
        yield RULES["outcome-of-delivery"].finding(
            f"{obstetric[0].code} with a delivery needs the code of its outcome",
            [obstetric[0].code],
            "add a code of Z37, such as Z37.0 for a single live birth",
        )


def _newborn(case: Case) -> Iterator[Finding]:
    born = next((line for line in case.diagnoses if line.key.startswith("Z38")), None)
    if born is None:
        return
    mothers = [line.code for line in case.diagnoses if line.key[:1] == "O" or line.key[:3] in ("Z37", "Z3A", "Z39")]
    if mothers:
        yield RULES["newborn-record"].finding(
            f"{born.code} belongs on the newborn's record, {', '.join(mothers)} on the mother's",
            [born.code, *mothers],
            f"remove {born.code} from the mother's record, or {', '.join(mothers)} from the newborn's",
        )
    elif born is not case.diagnoses[0]:
        yield RULES["newborn-first"].finding(
            f"{born.code} begins a birth record, but {case.diagnoses[0].code} is first",
            [born.code, case.diagnoses[0].code],
            f"put {born.code} first",
        )


def _drugs(diagnoses: Sequence[Line]) -> Iterator[Finding]:
    first = diagnoses[0]
    kind = kind_of(first.key)
    if kind in ("@adverse-effect", "@underdosing"):
        what = "an adverse effect" if kind == "@adverse-effect" else "an underdosing"
        yield RULES["adverse-effect-order"].finding(
            f"{first.code} names the drug of {what} and is never first",
            [first.code],
            f"put the {'nature of the adverse effect' if kind == '@adverse-effect' else 'condition treated'} first",
        )
    if kind is not None or first.key[:1] in "ST" or marks_of(first.key).rank.place != CONDITIONS:
        return
    poison = next((line for line in diagnoses if kind_of(line.key) == "@poisoning"), None)
    if poison is not None:
        yield RULES["poisoning-first"].finding(
            f"{first.code} stands before {poison.code}, but a poisoning comes before its manifestations",
            [poison.code, first.code],
            f"put {poison.code} first, when {first.code} is its manifestation",
        )


def _order(diagnoses: Sequence[Line], plan: Plan) -> Iterator[Finding]:
    """The first code that stands elsewhere in the proposed order, when that matters: another code is first, a cause
    stands after its effect, or an external cause before a condition."""
    at = next((n for n, i in enumerate(plan.order) if diagnoses[i].key != diagnoses[n].key), None)
    if at is None:
        return
    late = [n for n, line in enumerate(diagnoses) if line.key[:1] in _EXTERNAL]
    after = diagnoses[late[0] :] if late else ()
    before_condition = any(marks_of(line.key).rank.place <= CONDITIONS and line.key[:1] != "Z" for line in after)
    if at and not before_condition and all(link.earlier < link.later for link in plan.links):
        return
    code, given = diagnoses[plan.order[at]].code, diagnoses[at].code
    proposed = [diagnoses[i].code for i in plan.order]
    listed = ", ".join(proposed[:_MOST_SHOWN]) + (", ..." if len(proposed) > _MOST_SHOWN else "")
    where = "first" if at == 0 else f"in place {at + 1}, after {proposed[at - 1]}"
    yield RULES["order"].finding(
        f"{code} goes {where}, where {given} stands", [code, given], f"order the diagnoses {listed}"
    )
