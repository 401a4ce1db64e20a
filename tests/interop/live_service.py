"""Servers on a port of this machine for the tests of what EHRs speak, and the tokens that EHRs sign."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

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
