"""What results depend on besides the notes, to be the same in every process of a run and when it goes on."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from codeassist.assistant import CodeAssistant
from codeassist.release import load_release
from codeassist.settings import settings
from codeassist.terminology.access import open_store

_SETTINGS = ("reported_groups", "rules", "mention_detectors", "max_characters")
"""Settings that change results."""
_NAMES = {
    "sha256": "model release",
    "version": "model version",
    "terminology": "terminology editions",
    "index": "terminology index",
    "settings": "settings",
    "codeassist": "version of codeassist",
}


@cache
def assistant_of(folder: Path, sha256: str | None = None) -> CodeAssistant:
    """The assistant of this process over the release in ``folder``, loaded once. Raises as :func:`load_release`."""
    assistant = CodeAssistant(open_store(), load_release(folder, sha256))
    gc.freeze()
    return assistant


def pin_of(assistant: CodeAssistant) -> dict[str, Any]:
    """The pin as a JSON record: the model release by the SHA-256 of its manifest, the editions and the index of the
    terminology, the settings that change results (hashed), and the version of codeassist."""
    used = settings().model_dump(mode="json", include=set(_SETTINGS))
    used["reported_groups"] = sorted(used["reported_groups"])
    return {
        "sha256": assistant.model.sha256,
        "version": assistant.model.version,
        "terminology": assistant.releases,
        "index": assistant.terminology.folder.name,
        "settings": hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest(),
        "codeassist": metadata.version("codeassist"),
    }


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What differs between two pins, in words: ``["model release 1f2e3d4c instead of 5a6b7c8d"]``."""
    return [
        f"{name} {_short(found.get(key))} instead of {_short(wanted.get(key))}"
        for key, name in _NAMES.items()
        if found.get(key) != wanted.get(key)
    ]


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    return str(value)[:12] if len(str(value)) == 64 else str(value)
