"""Whether releases are what their manifests, their signatures and the registry's log say."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

from codeassist.errors import ModelError
from codeassist.release import MANIFEST, check_release
from codeassist.settings import settings
from codeassist.signing import SIGNATURE, check_signature, read_private_key, read_public_keys, sign
from training.registry.folder import SHIPPED, Registry
from training.registry.history import last_promoted, read_log

_BESIDE = (MANIFEST, SIGNATURE, "MODEL_CARD.md")
"""Files of a release that its manifest does not state: itself, its signature, and the card, which people read."""


@dataclass(slots=True)
class Verified:
    """What was found of one release, or of the registry itself: how it is signed, and every problem."""

    name: str
    signature: str = ""
    problems: list[str] = field(default_factory=list)


def verify_release(folder: Path, key: Path | None = None) -> Verified:
    """Check every file against the manifest, and the signature: where ``key`` is given, or the site has
    trusted keys, the release must be signed by it or by one of them."""
    found = Verified(folder.name)
    try:
        manifest, _ = check_release(folder)
    except ModelError as error:
        found.problems.append(str(error))
    else:
        listed = {*manifest["files"], *_BESIDE}
        files = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
        found.problems += [f"{name} is not in the manifest" for name in files if name not in listed]
    trusted = key or settings().trusted_keys
    if not (folder / SIGNATURE).is_file() and trusted is None:
        found.signature = "not signed"
    elif trusted is None:
        found.signature = "signed; --key FILE checks it"
    else:
        try:
            check_signature(folder, (folder / MANIFEST).read_bytes(), read_public_keys(trusted))
            found.signature = "signed, and right"
        except ModelError as error:
            found.signature = "not signed" if not (folder / SIGNATURE).is_file() else "not right"
            found.problems.append(str(error))
    return found


def verify_registry(registry: Registry) -> Verified:
    """Check the log's chain, and that the promoted release is there and is the one that was promoted."""
    found = Verified("registry", "")
    try:
        logged = last_promoted(read_log(registry.folder))
        pointer = registry.promoted()
        if pointer != logged:
            first, second = (p.release if p else SHIPPED for p in (logged, pointer))
            found.problems.append(f"the log's last release is {first}, but {second} is promoted")
        if pointer is not None:
            _, digest = check_release(registry.folder / pointer.release)
            if digest != pointer.sha256:
                found.problems.append(f"{pointer.release} was changed after it was promoted")
    except ModelError as error:
        found.problems.append(str(error))
    return found


def sign_release(folder: Path, key: Path) -> str:
    """Sign a release whose files are all right; the public key, in base64, comes back.

    Raises :class:`ModelError` when the release is damaged, and :class:`InputError` for the key.
    """
    private = read_private_key(key)
    check_release(folder)
    raw = (folder / MANIFEST).read_bytes()
    (folder / SIGNATURE).write_bytes(sign(raw, private))
    return base64.b64encode(private.public_key().public_bytes_raw()).decode()
