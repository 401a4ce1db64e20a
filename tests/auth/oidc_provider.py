"""A small OpenID Connect provider that runs for real: discovery, keys, authorisation, and tokens for codes with PKCE.

What is wrong with its next ID token is set by ``fault``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID = "codeassist-at-site"
CLIENT_SECRET = "a secret of the client"


class OidcProvider:
    """Says who the user is, as ``claims`` has it."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.codes: dict[str, dict[str, str]] = {}
        self.issuer = ""
        self.reset()

    def reset(self, fault: str = "", **claims: Any) -> None:
        """Give these claims, and this fault, from now on."""
        self.fault = fault
        self.claims = {"sub": "subject-1", "preferred_username": "Olive", "roles": ["coders"], **claims}

    @contextmanager
    def serving(self) -> Iterator[OidcProvider]:
        listener = socket.create_server(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(self._app(), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield self
        server.should_exit = True
        thread.join(10)

    def settings(self) -> dict[str, Any]:
        """The settings of a service that trusts this provider."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_roles": {"coders": "coder", "chiefs": "administrator"},
        }

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, Any]:
            return {
                "issuer": self.issuer + ("/another" if self.fault == "issuer of another" else ""),
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
            assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            answer = {"code": code, "state": asked["state"], "iss": self.issuer}
            if self.fault == "refusal":
                answer = {"error": "access_denied", "state": asked["state"]}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

        @app.post("/token")
        def token(
            request: Request,
            code: Annotated[str, Form()],
            code_verifier: Annotated[str, Form()],
            redirect_uri: Annotated[str, Form()],
        ) -> dict[str, Any]:
            basic = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            asked = self.codes.pop(code, None)
            digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
            right = asked and asked["code_challenge"] == digest and asked["redirect_uri"] == redirect_uri
            if not right or asked is None or basic.split(":")[0] != CLIENT_ID:
                raise HTTPException(400, "invalid_grant")
            if self.fault == "no token":
                raise HTTPException(500)
            answer = {"access_token": "an-access-token", "token_type": "Bearer", "expires_in": 60}
            return answer if self.fault == "no ID token" else {**answer, "id_token": self._id_token(asked["nonce"])}

        return app

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": nonce, **self.claims}
        header, key = {"alg": "RS256", "kid": self.key.kid}, self.key
        match self.fault:
            case "wrong nonce":
                claims["nonce"] = "another"
            case "no nonce":
                del claims["nonce"]
            case "wrong audience":
                claims["aud"] = "another-client"
            case "audience of two without azp":
                claims["aud"] = ["another-client", CLIENT_ID]
            case "wrong issuer":
                claims["iss"] = "https://elsewhere.example"
            case "expired":
                claims.update(iat=now - 7200, exp=now - 3600)
            case "no expiry":
                del claims["exp"]
            case "wrong at_hash":
                claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"
            case "unsigned":
                return ".".join((_part({"alg": "none"}), _part(claims), ""))
            case "signed by another key":
                key = RSAKey.generate_key(2048, {"kid": self.key.kid})
            case "signed by the public key as a secret":
                secret = OctKey.import_key(self.key.as_pem(private=False))
                return jwt.encode({"alg": "HS256"}, claims, secret, ["HS256"])
            case "signed by the client's secret":
                return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET), ["HS256"])
            case "changed after signing":
                head, _, signature = jwt.encode(header, claims, key).split(".")
                return f"{head}.{_part({**claims, 'preferred_username': 'mallory'})}.{signature}"
            case "not a token":
                return "nothing"
        return jwt.encode(header, claims, key)


def _part(record: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(record).encode()).rstrip(b"=").decode()
