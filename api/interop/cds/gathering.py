"""What a service needs of the EHR: prefetched, or fetched from the FHIR server that the request names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.errors import Problem
from api.interop.cds.schemas import HookRequest
from api.interop.cds.services import Service, query_of
from api.interop.charts import fetch_resource, resources_in
from api.interop.fetching import Fetcher, FetchError, allowed
from api.interop.fhir.attachments import Source
from api.interop.fhir.resources import Collected, references

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The resources by prefetch key, and from where their attachments may be fetched."""

    by_key: Mapping[str, list[Resource]]
    source: Source

    def collected(self) -> Collected:
        """All of them, as one collection."""
        return Collected(tuple((None, resource) for found in self.by_key.values() for resource in found))


async def gather(service: Service, sent: HookRequest, fetcher: Fetcher) -> Gathered:
    """The resources that the service needs. Raises the problem ``precondition-failed``."""
    context = sent.context.model_dump(exclude_none=True)
    given = sent.prefetch or {}
    server = sent.fhirServer if sent.fhirServer and allowed(sent.fhirServer, fetcher.settings.allowed_servers) else None
    token = sent.fhirAuthorization.access_token if sent.fhirAuthorization else None
    found: dict[str, list[Resource]] = {}
    for key, template in service.prefetch.items():
        query = query_of(template, context)
        # null says that the EHR has nothing there; without the patient nothing can be made of that
        if key in given and not (given[key] is None and key == "patient"):
            found[key] = resources_in(given[key])
        elif server is not None and query is not None:
            found[key] = await _fetched(fetcher, server, query, token, key)
        elif key in service.required:
            raise Problem("precondition-failed", _missing(key, sent, server))
    _check_patient(found, sent.context.patientId)
    return Gathered(found, Source(fetcher, server, token))


async def _fetched(fetcher: Fetcher, server: str, query: str, token: str | None, key: str) -> list[Resource]:
    try:
        return resources_in(await fetch_resource(fetcher, server, query, token))
    except FetchError as error:
        raise Problem("precondition-failed", f"{key} is not in the prefetch and can't be fetched: {error}.") from None


def _missing(key: str, sent: HookRequest, server: str | None) -> str:
    if sent.fhirServer is None:
        return f"The prefetch lacks {key}, and no fhirServer is given."
    if server is None:
        return f"The prefetch lacks {key}, and fhirServer is not among the servers that this site allows."
    return f"The prefetch lacks {key}, and the context does not say which to fetch."


def _check_patient(found: Mapping[str, list[Resource]], patient: str) -> None:
    """Refuse resources of another patient: a mix-up of the EHR must not put one's diagnoses on another's list."""
    for key, resources in found.items():
        for resource in resources:
            named = resource.get("id") if key == "patient" else next(iter(references(resource.get("subject"))), patient)
            if str(named).split("/_history/")[0].split("/")[-1] != patient:
                raise Problem("invalid-input", f"{key} holds a resource of another patient than the context names.")
