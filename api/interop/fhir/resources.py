"""Resources that come in: checked against R4's own models, and found again by their references."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from api.body import check_utf8
from api.errors import FieldError, Problem

Resource = Mapping[str, Any]
MOST_ENTRIES = 2000
CHECKED = ("DocumentReference", "Encounter", "Patient", "Condition")
"""The types that are read; resources of other types are passed over, and so not checked."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The resources of a request with the addresses that they are known by, and its other parameters."""

    resources: tuple[tuple[str | None, Resource], ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def of_type(self, name: str) -> list[Resource]:
        """The resources of one type, in order."""
        return [resource for _, resource in self.resources if resource["resourceType"] == name]

    def find(self, reference: str | None) -> Resource | None:
        """The resource that a reference names: by ``Type/id``, by its address at the end of one, or by ``fullUrl``."""
        if not reference:
            return None
        tail = "/".join(reference.split("/_history/")[0].split("/")[-2:])
        for url, resource in self.resources:
            name = f"{resource['resourceType']}/{resource.get('id')}"
            if reference == url or tail == name:
                return resource
        return None


def parse_resource(data: bytes) -> dict[str, Any]:
    """A resource from the body of a request. Raises :class:`Problem`."""
    try:
        value = json.loads(check_utf8(data), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        detail = (
            f"{error}." if isinstance(error, json.JSONDecodeError) else "The body is nested too deeply, or no JSON."
        )
        raise Problem("malformed-json", detail) from None
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise Problem("invalid-request", "The body is no FHIR resource: it has no resourceType.")
    return value


def checked(resource: object, where: str = "") -> dict[str, Any]:
    """A resource whose type, when it is one that is read, is as R4 defines it. Raises the problem ``invalid-request``
    that names the elements which are wrong."""
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise Problem("invalid-request", f"{where or 'The body'} is no FHIR resource: it has no resourceType.")
    name = resource["resourceType"]
    if name in CHECKED:
        check(resource, where or name)
    return resource


def check(resource: Mapping[str, Any], where: str) -> None:
    """Raise the problem ``invalid-request`` unless the resource is as R4 defines its type."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        errors = [_field(e, where) for e in found[:20]]
        names = ", ".join(dict.fromkeys(e.field for e in errors))[:500]
        raise Problem("invalid-request", f"Not as FHIR R4 defines it: {names}.", errors) from None
    except RecursionError:
        raise Problem("invalid-request", f"{where} is nested too deeply.") from None


def collect(resource: dict[str, Any]) -> Collected:
    """The resources in a DocumentReference, Bundle or Parameters. Raises :class:`Problem`."""
    match resource["resourceType"]:
        case "Bundle":
            return Collected(tuple(_entries(resource, "Bundle")))
        case "Parameters":
            return _parameters(resource)
        case "DocumentReference":
            return Collected(((None, checked(resource)),))
        case other:
            raise Problem("invalid-request", f"Send a DocumentReference, Bundle or Parameters, not {other[:40]}.")


def bundle_resources(resource: Resource) -> list[Resource]:
    """The resources of a Bundle that was fetched; those that report on a search are left out."""
    found = [r for _, r in _entries(resource, "Bundle")]
    return [r for r in found if r["resourceType"] != "OperationOutcome"]


def _entries(bundle: Resource, where: str) -> list[tuple[str | None, Resource]]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES or not all(isinstance(e, dict) for e in entries):
        raise Problem("invalid-request", f"{where}.entry is a list of at most {MOST_ENTRIES:,} entries.")
    return [
        (
            e["fullUrl"] if isinstance(e.get("fullUrl"), str) else None,
            checked(e["resource"], f"{where}.entry[{i}].resource"),
        )
        for i, e in enumerate(entries)
        if "resource" in e
    ]


def _parameters(resource: Resource) -> Collected:
    parameters = resource.get("parameter", [])
    if not isinstance(parameters, list) or not all(
        isinstance(p, dict) and isinstance(p.get("name"), str) for p in parameters
    ):
        raise Problem("invalid-request", "Parameters.parameter is a list of objects with a name.")
    found: list[tuple[str | None, Resource]] = []
    values: dict[str, Any] = {}
    for i, parameter in enumerate(parameters):
        if "resource" in parameter:
            inner = checked(parameter["resource"], f"Parameters.parameter[{i}].resource")
            found += (
                _entries(inner, f"Parameters.parameter[{i}].resource")
                if inner["resourceType"] == "Bundle"
                else [(None, inner)]
            )
        for value in (v for k, v in parameter.items() if k.startswith("value")):
            values[parameter["name"]] = value
    return Collected(tuple(found), values)


def references(*items: object) -> Sequence[str]:
    """The references in elements of type Reference, those that have one."""
    return [i["reference"] for i in items if isinstance(i, dict) and isinstance(i.get("reference"), str)]


def _field(error: Mapping[str, Any], where: str) -> FieldError:
    location = ".".join(str(part) for part in error["loc"])
    return FieldError(
        "body", f"{where}.{location}"[:200] if location else where, error["type"].replace("_", "-"), error["msg"]
    )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
