"""A model release is checked before it is used: whatever is wrong is told, and what to do about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeassist.errors import ModelError
from codeassist.release import FORMAT, MANIFEST, check_release, load_release, save_release
from codeassist.settings import settings


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings().model_dir, tmp_path / "ours"))


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def add_a_byte(folder: Path) -> None:
    with (folder / "shares.npy").open("ab") as file:
        file.write(b"\x00")


def change_a_byte(folder: Path) -> None:
    data = bytearray((folder / "labels.json").read_bytes())
    data[5] ^= 1
    (folder / "labels.json").write_bytes(data)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "there is no model in .*: train one, or name another"),
    "no manifest": (lambda f: (f / MANIFEST).unlink(), "there is no model"),
    "a longer file": (add_a_byte, "shares.npy .* does not have the hash"),
    "one bit": (change_a_byte, "labels.json .* does not have the hash"),
    "a missing file": (lambda f: (f / "shares.npy").unlink(), "lacks shares.npy"),
    "another format": (lambda f: change_manifest(f, lambda m: m.update(format=FORMAT + 1)), "has format"),
    "other features": (lambda f: change_manifest(f, lambda m: m["features"].pop()), "other features"),
    "a cut manifest": (lambda f: (f / MANIFEST).write_text('{"format": 1'), "manifest .* is damaged"),
    "a manifest that is a list": (lambda f: (f / MANIFEST).write_text("[]"), "manifest .* is damaged"),
    "a manifest without files": (lambda f: change_manifest(f, lambda m: m.pop("files")), "manifest .* is damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage(release: Path, name: str) -> None:
    damage, message = DAMAGE[name]
    damage(release)
    with pytest.raises(ModelError, match=message):
        load_release(release)


def test_nothing_is_opened_before_its_hash_was_checked(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(np, "load", lambda *a, **k: opened.append(a))
    add_a_byte(release)
    with pytest.raises(ModelError):
        load_release(release)
    assert not opened


def test_nothing_of_a_release_is_a_pickle(release: Path) -> None:
    files = json.loads((release / MANIFEST).read_text(encoding="utf-8"))["files"]
    assert {Path(name).suffix for name in files} <= {".npy", ".json"}
    for name in files:
        if name.endswith(".npy"):
            np.load(release / name, allow_pickle=False)


def test_the_shipped_release(root: Path) -> None:
    folder = settings().model_dir
    manifest, digest = check_release(folder)
    assert len(digest) == 64
    assert {"seed", "data", "libraries", "metrics", "features", "files"} <= manifest.keys()
    assert all(d["licence"] and d["sha256"] for d in manifest["data"])
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8").startswith("# Model card")
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) < 30_000_000


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    old = load_release(settings().model_dir)
    kept = ("name", "version", "format", "features", "files", "thresholds", "baselines", "audited_labels")
    save_release(
        tmp_path / "copy",
        name=old.id.name,
        version=old.id.version,
        labels=old.labels,
        shares=old.shares,
        audited_labels=old.audited_labels,
        lessons=old.lessons,
        phrases=old.phrases,
        rankers=old.rankers,
        profile=old.profile,
        facts={k: v for k, v in old.manifest.items() if k not in kept},
    )
    new = load_release(tmp_path / "copy")
    assert new.manifest["files"] == old.manifest["files"]
    assert new.id.sha256 == old.id.sha256
