"""Ed25519 signatures of model releases.

A signature stands beside the manifest, as base64, and is one of the manifest's bytes as they are. The manifest states
the hash of every other file, so the signature holds for the whole release. Keys are PEM files, as openssl writes them.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from codeassist.errors import InputError, ModelError

SIGNATURE = "manifest.json.sig"
_SUFFIXES = (".pem", ".pub")


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file; raises :class:`InputError` when there is none, or one of another kind."""
    try:
        key = load_pem_private_key(_bytes(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(f"{path.name} is not an Ed25519 private key in PEM, without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path.name} is a key of another kind: make one with `openssl genpkey -algorithm ed25519`")
    return key


def read_public_keys(path: Path) -> list[Ed25519PublicKey]:
    """The public key of a PEM file, or those of all ``*.pem`` and ``*.pub`` files of a folder.

    Raises :class:`InputError` when there is none, or when one can't be read: a key that is left out by mistake
    should be told.
    """
    files = sorted(f for f in path.iterdir() if f.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise InputError(f"there is no public key (*.pem, *.pub) in {path}")
    keys = []
    for file in files:
        try:
            key = load_pem_public_key(_bytes(file))
        except (ValueError, UnsupportedAlgorithm):
            raise InputError(f"{file.name} is not a public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise InputError(f"{file.name} is not an Ed25519 key")
        keys.append(key)
    return keys


def sign(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """What is written into the signature's file."""
    return base64.b64encode(key.sign(manifest)) + b"\n"


def check_signature(folder: Path, manifest: bytes, keys: list[Ed25519PublicKey]) -> None:
    """Raise :class:`ModelError` unless one of ``keys`` has signed the manifest's bytes."""
    try:
        text = (folder / SIGNATURE).read_bytes()
    except OSError:
        raise ModelError(f"the model in {folder.name} is not signed: `codeassist models sign`") from None
    try:
        signature = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ModelError(f"the signature of the model in {folder.name} is damaged: sign it again") from None
    for key in keys:
        try:
            key.verify(signature, manifest)
        except InvalidSignature:
            continue
        return
    raise ModelError(f"the model in {folder.name} is not signed by a trusted key, or was changed after it was signed")


def require_trusted(folder: Path, manifest: bytes, trusted: Path) -> None:
    """Raise :class:`ModelError` unless a key of ``trusted`` (a file or a folder) has signed the manifest.

    Keys that can't be read are an error too: a site that asks for signatures is not served without.
    """
    try:
        keys = read_public_keys(trusted)
    except InputError as error:
        raise ModelError(f"the trusted keys can't be used, so no model is loaded: {error}") from None
    check_signature(folder, manifest, keys)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
