"""A small EHR: a FHIR server, SMART's discovery and authorization, and some bad manners to test with."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from live_service import JWKS

TEXT = (
    "Assessment and Plan:\n1. Essential hypertension, stable.\n2. Type 2 diabetes mellitus, on metformin.\n"
    "3. Obstructive sleep apnea, on CPAP."
)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = "token-of-the-ehr"
FHIR = "application/fhir+json"


def document(identity: str, text: str = TEXT, **facts: Any) -> dict[str, Any]:
    """A DocumentReference of patient 1 and encounter e1."""
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": identity,
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]},
        "subject": {"reference": "Patient/1"},
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
        "context": {"encounter": [{"reference": "Encounter/e1"}]},
        **facts,
    }


PATIENT = {"resourceType": "Patient", "id": "1", "birthDate": "1960-05-01", "gender": "female"}
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    "subject": {"reference": "Patient/1"},
    "period": {"start": "2026-03-02T09:00:00-05:00", "end": "2026-03-02T09:30:00-05:00"},
}


def condition(code: str, status: str = "active") -> dict[str, Any]:
    """A Condition of patient 1's problem list."""
    base = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": f"{base}/condition-clinical", "code": status}]},
        "category": [{"coding": [{"system": f"{base}/condition-category", "code": "problem-list-item"}]}],
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
        "subject": {"reference": "Patient/1"},
    }


def searchset(*resources: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The answer to a search."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r, "search": {"mode": "match"}} for r in resources],
        **facts,
    }


@dataclass
class Ehr:
    """What the EHR holds, and what it was asked."""

    documents: list[dict[str, Any]] = field(default_factory=lambda: [document("d1")])
    conditions: list[dict[str, Any]] = field(default_factory=lambda: [condition("I10")])
    configuration: dict[str, Any] = field(default_factory=dict)
    launched: dict[str, Any] = field(default_factory=lambda: {"patient": "1", "encounter": "e1"})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    forms: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    client_jwks: Any = None
    """The public keys of codeassist, where it is registered as a client that signs."""
    seen: set[str] = field(default_factory=set)


def make_app(ehr: Ehr) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def record(request: Request, go_on: Any) -> Any:
        ehr.asked.append((request.url.path, request.headers.get("authorization")))
        guarded = request.url.path.startswith("/fhir/") and ".well-known" not in request.url.path
        if guarded and request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"resourceType": "OperationOutcome"}, 401)
        return await go_on(request)

    _resources(app, ehr)
    _authorization(app, ehr)
    _manners(app)
    return app


def _resources(app: FastAPI, ehr: Ehr) -> None:
    def answer(resource: dict[str, Any]) -> Response:
        return Response(json.dumps(resource), media_type=FHIR)

    @app.get("/fhir/Patient/1")
    def patient() -> Response:
        return answer(PATIENT)

    @app.get("/fhir/Encounter/e1")
    def encounter() -> Response:
        return answer(ENCOUNTER)

    @app.get("/fhir/DocumentReference")
    def documents(request: Request, page: int = 0) -> Response:
        link = [{"relation": "next", "url": str(request.url.include_query_params(page=page + 1))}]
        more = {"link": link} if page + 1 < len(ehr.documents) else {}
        return answer(searchset(*ehr.documents[page : page + 1], **more))

    @app.get("/fhir/Condition")
    def conditions() -> Response:
        return answer(searchset(*ehr.conditions))

    @app.get("/fhir/Binary/{name}")
    def binary(name: str) -> Response:
        data = base64.b64encode(TEXT.encode()).decode()
        return answer({"resourceType": "Binary", "contentType": "text/plain", "data": data})


def _authorization(app: FastAPI, ehr: Ehr) -> None:
    @app.get("/fhir/.well-known/smart-configuration")
    def configuration(request: Request) -> dict[str, Any]:
        base = str(request.base_url).rstrip("/")
        return {
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr"],
            **ehr.configuration,
        }

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        code = secrets.token_urlsafe(8)
        ehr.codes[code] = dict(request.query_params)
        query = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{query}", 302)

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = await request.form()
        asked = ehr.codes.pop(str(form["code"]), None)
        ehr.forms.append((dict(form), request.headers.get("authorization")))
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        proof = _proved(ehr, str(request.url), dict(form), request.headers.get("authorization"))
        if asked is None or asked["code_challenge"] != challenge or not proof:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, **ehr.launched})


def _proved(ehr: Ehr, endpoint: str, form: dict[str, Any], authorization: str | None) -> bool:
    """Whether the client is the one that is registered: by its secret, or by a JWT that its public keys verify."""
    if ehr.client_jwks is None:
        return authorization == "Basic " + base64.b64encode(b"codeassist:s3cret").decode()
    keys = KeySet.import_key_set(ehr.client_jwks)
    if authorization is not None or form.get("client_assertion_type") != ASSERTION_TYPE:
        return False
    try:
        token = jwt.decode(str(form["client_assertion"]), keys, algorithms=["RS384", "ES384"])
    except JoseError:
        return False
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": "codeassist"},
        sub={"essential": True, "value": "codeassist"},
        aud={"essential": True, "value": endpoint},
        exp={"essential": True},
        jti={"essential": True},
    )
    rules.validate(token.claims)
    once = token.claims["jti"] not in ehr.seen
    ehr.seen.add(token.claims["jti"])
    return once and token.claims["exp"] - time.time() <= 300


def _manners(app: FastAPI) -> None:
    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        return JWKS

    @app.get("/files/note.txt")
    def note() -> Response:
        return Response(TEXT.encode("latin-1"), headers={"Content-Type": "text/plain; charset=iso-8859-1"})

    @app.get("/files/near")
    def near() -> Response:
        return RedirectResponse("/files/note.txt", 302)

    @app.get("/files/far")
    def far() -> Response:
        return RedirectResponse("/private/note.txt", 302)

    @app.get("/files/round")
    def round_and_round() -> Response:
        return RedirectResponse("/files/round", 302)

    @app.get("/files/big")
    def big() -> Response:
        return Response(b"x" * 300_000, media_type="text/plain")

    @app.get("/files/slow")
    async def slow() -> Response:
        await asyncio.sleep(5)
        return Response("late", media_type="text/plain")

    @app.get("/files/page")
    def page() -> Response:
        return Response("<p>gout</p>", media_type="text/html")

    @app.get("/private/note.txt")
    def private() -> Response:
        return Response("secret", media_type="text/plain")
