"""What a site sets for EHRs: who is trusted, and from where anything may be fetched. Nothing is, unless it is set."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, SecretStr, model_validator

from codeassist.settings import Settings


class KeySource(BaseModel):
    """Where a client's public keys are: a file of the site, or an address of the client."""

    model_config = ConfigDict(extra="forbid")

    jwks: Path | None = None
    """A JWK Set in a file."""
    jwks_url: str | None = None
    """The address of a JWK Set: for CDS clients the one ``jku`` that they may name."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.jwks is None) == (self.jwks_url is None):
            raise ValueError("give either 'jwks' or 'jwks_url'")
        return self


class CdsClient(KeySource):
    """An EHR that may call the CDS services; its name in the table is the ``iss`` of its tokens."""


class SmartClient(KeySource):
    """A program that may fetch access tokens; its name in the table is its ``client_id``."""

    scopes: tuple[str, ...] = ("system/DocumentReference.read",)
    """The SMART scopes that it may ask for."""


class Ehr(BaseModel):
    """An EHR that launches the review page; its name in the table is its ``iss``, the base of its FHIR server."""

    model_config = ConfigDict(extra="forbid")

    client_id: str
    client_secret: SecretStr | None = None
    """Left out where the EHR has registered codeassist as a public client, or knows its public key."""
    private_key: Path | None = None
    """A private JWK, or a JWK Set whose first key signs: codeassist proves who it is with it (``private_key_jwt``). The
    EHR registers the public part, ``/.well-known/jwks.json``."""
    scope: str = "launch openid fhirUser patient/Patient.read patient/Encounter.read patient/DocumentReference.read"

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if self.client_secret is not None and self.private_key is not None:
            raise ValueError("give either 'client_secret' or 'private_key'")
        return self


class InteropSettings(Settings):
    """Settings of CDS Hooks, FHIR and SMART; tables are best set in the TOML file."""

    public_url: str | None = None
    """The address under which EHRs reach this service, such as ``https://codeassist.hospital.example``. It is the
    base of audiences and links; where it is not set, the address and port that the service listens on."""
    cds_clients: dict[str, CdsClient] = Field(default_factory=dict)
    """Trusted CDS clients by ``iss``. Where there is one, a CDS request without a token is refused."""
    smart_clients: dict[str, SmartClient] = Field(default_factory=dict)
    """Backend services by client id. Where there is one, a FHIR request without a token is refused."""
    smart_ehrs: dict[str, Ehr] = Field(default_factory=dict)
    """EHRs that may launch the review page, by ``iss``."""
    allowed_servers: tuple[str, ...] = ()
    """Beginnings of addresses from which documents may be fetched: FHIR servers that a CDS request names, attachments
    by URL, and token endpoints outside the EHR's own origin. Only an entry that begins with ``http:`` allows http."""
    fetch_seconds: PositiveFloat = 10.0
    """How long one fetch may take altogether."""
    max_fetch_bytes: PositiveInt = 16_000_000
    """Largest answer of another server, and largest attachment, in bytes."""
    max_documents: PositiveInt = 50
    """How many documents of one encounter are read."""
    token_seconds: PositiveInt = 300
    """How long an access token is good."""
