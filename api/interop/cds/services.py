"""The CDS services as their table has them, and the queries that their templates make."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

_TOKEN = re.compile(r"\{\{context\.(\w+)\}\}")
OVERRIDE_SYSTEM = "https://codeassist.invalid/fhir/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its id and hook have the same name."""

    id: str
    title: str
    description: str
    usage: str
    required: frozenset[str]
    prefetch: Mapping[str, str]

    def as_record(self) -> dict[str, Any]:
        """The service as discovery lists it."""
        return {
            "hook": self.id,
            "title": self.title,
            "description": self.description,
            "id": self.id,
            "prefetch": dict(self.prefetch),
            "usageRequirements": self.usage,
        }


@cache
def services() -> Mapping[str, Service]:
    """All services by id."""
    rows = tomllib.loads(_text("services.toml"))
    return {
        name: Service(
            name,
            row["title"],
            row["description"],
            row["usageRequirements"],
            frozenset(row["required"]),
            row["prefetch"],
        )
        for name, row in rows.items()
    }


@cache
def override_reasons() -> tuple[Mapping[str, str], ...]:
    """The reasons as codings."""
    rows = tomllib.loads(_text("overrides.toml"))["reason"]
    return tuple({"code": row["code"], "system": OVERRIDE_SYSTEM, "display": row["display"]} for row in rows)


def query_of(template: str, context: Mapping[str, Any]) -> str | None:
    """The query of a template, or ``None`` when the context lacks what it names.

    >>> query_of("Patient/{{context.patientId}}", {"patientId": "7"})
    'Patient/7'
    """
    names = _TOKEN.findall(template)
    if not all(isinstance(context.get(name), str) and context[name] for name in names):
        return None
    return _TOKEN.sub(lambda found: quote(context[found[1]], safe=""), template)


def _text(name: str) -> str:
    return resources.files("api.interop.cds").joinpath(name).read_text("utf-8")
