"""Servers on a port of this machine for the tests of what EHRs speak, and the tokens that EHRs sign."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from api.app import create_app
from api.settings import ApiSettings
from api.store.database import Database, open_database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
STRANGER = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
P256 = ECKey.generate_key("P-256", {"kid": "p256", "use": "sig"})
JWKS: dict[str, Any] = dict(KeySet([RSA, EC, P256]).as_dict(private=False))


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of an application that is served by uvicorn in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def claims(issuer: str, audience: object, **other: Any) -> dict[str, Any]:
    """The claims of a token that is right; ``None`` takes one away."""
    now = int(time.time())
    made = {
        "iss": issuer,
        "sub": issuer,
        "aud": audience,
        "iat": now,
        "exp": now + 200,
        "jti": uuid.uuid4().hex,
        **other,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(body: dict[str, Any], key: Any = EC, algorithm: str = "ES384", **header: Any) -> str:
    """A token; ``None`` takes a parameter of the header away."""
    made = {"alg": algorithm, "typ": "JWT", "kid": key.kid, **header}
    made = {name: value for name, value in made.items() if value is not None}
    return jwt.encode(made, body, key, algorithms=[algorithm])


@dataclass(frozen=True)
class Service:
    """A live service with its database."""

    url: str
    client: httpx.Client
    database: Database


@contextmanager
def serve_with(assistant: CodeAssistant, folder: Path, config: str) -> Iterator[Service]:
    """A service with these settings, and a database of its own in ``folder``."""
    (folder / "settings.toml").write_text(config)
    database = open_database(f"sqlite:///{folder / 'interop.sqlite3'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEASSIST_CONFIG", str(folder / "settings.toml"))
        app = create_app(ApiSettings(), load=lambda: assistant, database=database)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while client.get("/readyz").status_code != 200:
            pass
        yield Service(url, client, database)
