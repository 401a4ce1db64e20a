"""Where an EHR's authorization server is, and the exchange of its code for a token (SMART App Launch 2.2)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from api.errors import Problem
from api.interop.fetching import Fetcher, FetchError, allowed, same_origin
from api.interop.fhir.resources import Resource, references
from api.interop.settings import Ehr
from api.interop.smart.assertion import ASSERTION_TYPE, SigningKey

_JSON = frozenset({"application/json"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of an authorization server."""

    authorization: str
    token: str


@dataclass(frozen=True, slots=True)
class Launched:
    """What the EHR gives with the token."""

    access_token: str
    patient: str
    encounter: str


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636; its appendix B is the example).

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


async def discover(fetcher: Fetcher, issuer: str) -> Endpoints:
    """The endpoints that the EHR's SMART configuration names. Raises the problem ``launch-refused``."""
    try:
        fetched = await fetcher.get(f"{issuer.rstrip('/')}/.well-known/smart-configuration", _JSON)
        found = json.loads(fetched.data)
        authorization, token = str(found["authorization_endpoint"]), str(found["token_endpoint"])
        methods = found.get("code_challenge_methods_supported", [])
    except FetchError as error:
        raise _refused(f"the configuration of the EHR can't be had: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refused("the configuration of the EHR can't be read") from None
    if "S256" not in methods:
        raise _refused("the EHR does not support PKCE with S256")
    if not (same_origin(token, issuer) or allowed(token, fetcher.settings.allowed_servers)):
        raise _refused("the token endpoint of the EHR is not among the servers that this site allows")
    # the browser is sent there: a page of another scheme, such as javascript:, must not be
    if urlsplit(authorization).scheme != urlsplit(issuer).scheme or not urlsplit(authorization).hostname:
        raise _refused("the authorization endpoint of the EHR is of another scheme than its FHIR server")
    return Endpoints(authorization, token)


async def exchange(
    fetcher: Fetcher, ehr: Ehr, signing: SigningKey | None, endpoint: str, code: str, redirect_uri: str, verifier: str
) -> Launched:
    """The token of a launch with its patient and encounter. Raises the problem ``launch-refused``.

    ``signing`` is the key of a confidential client that signs; without it the secret of the settings proves who this
    is, and without that nothing does.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    auth = None
    if signing is not None:
        form |= {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signing.assertion(ehr.client_id, endpoint),
        }
    elif ehr.client_secret is not None:
        auth = (quote(ehr.client_id, safe=""), quote(ehr.client_secret.get_secret_value(), safe=""))
    else:
        form["client_id"] = ehr.client_id
    try:
        fetched = await fetcher.post_form(endpoint, form, auth)
        found: dict[str, Any] = json.loads(fetched.data)
        token = found["access_token"]
        bearer = str(found["token_type"]).lower() == "bearer"
    except FetchError as error:
        raise _refused(f"the EHR gave no token: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise _refused("the EHR's answer holds no token") from None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not bearer:
        raise _refused("the EHR's answer holds no bearer token")
    patient, encounter = found.get("patient"), found.get("encounter")
    if not isinstance(patient, str) or not isinstance(encounter, str) or not (patient and encounter):
        raise _refused("the launch names no encounter: open codeassist from an encounter")
    return Launched(token, patient, encounter)


def belongs(resource: Resource, patient: str) -> bool:
    """Whether a resource is of a patient, as far as it says of whom it is."""
    reference = next(iter(references(resource.get("subject"))), patient)
    return reference.split("/_history/", maxsplit=1)[0].rsplit("/", maxsplit=1)[-1] == patient


def _refused(reason: str) -> Problem:
    return Problem("launch-refused", f"{reason[:1].upper()}{reason[1:]}.")
