"""A model release on disk: manifest, integrity check, and the mapped arrays that it holds.

    models/
      manifest.json          files with SHA-256, library versions, training data with licences, metrics, seed
      MODEL_CARD.md
      labels.json            codes that the audited notes taught, and the share of notes that had each
      associations/*.npy     sorted keys, label, precision, count
      notes/, sentences/*.npy  training texts as TF-IDF vectors by bucket, dual coefficients, labels
      phrases/*.npy          phrase keys learnt from term files, and the codes they stand for
      rankers/*.npy          for each ranker its trees and its calibration
      site/*.tsv             the site's own terms, headings, cues and codes that it was trained with
      profile.json           what the training notes were like, to see drift

Every file is an array or JSON, hashed against the manifest before it is opened; nothing is unpickled. Where the site
has trusted keys, the manifest must be signed by one of them (:mod:`codeassist.signing`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codeassist.candidates.lessons import Lessons, lessons_of
from codeassist.errors import ModelError
from codeassist.ranking.features import FEATURES
from codeassist.ranking.forest import Forest
from codeassist.ranking.ranker import GROUPS, Ranker
from codeassist.result import ModelId
from codeassist.settings import settings
from codeassist.signing import require_trusted

FORMAT = 2
MANIFEST = "manifest.json"
PROFILE = "profile.json"
SITE = "site"


@dataclass(frozen=True, slots=True)
class LearnedPhrases:
    """Phrase keys (sorted), the ICD-10-CM code or category without dot that each stands for, and its words."""

    key: np.ndarray
    code: np.ndarray
    words: np.ndarray


@dataclass(slots=True)
class Release:
    """A loaded release. ``labels`` are (system, code without dot), in the order in which associations number them."""

    id: ModelId
    manifest: dict[str, Any]
    labels: list[tuple[str, str]]
    shares: np.ndarray
    audited_labels: bool
    lessons: Lessons
    phrases: LearnedPhrases
    rankers: dict[str, Ranker]
    profile: dict[str, Any] | None = None
    """What the training notes were like (:mod:`codeassist.drift`); ``None`` in releases that keep none."""
    site: Path | None = None
    """The copy of the site's folder that the release was trained with (:mod:`codeassist.site`)."""

    def frequency(self) -> dict[tuple[str, str], int]:
        """Number of training notes that had each code, as (system, code without dot)."""
        counts = (self.shares * int(self.manifest.get("notes", 0))).round().astype(int).tolist()
        return dict(zip(self.labels, counts, strict=True))


def save_release(
    folder: Path,
    *,
    name: str,
    version: str,
    labels: list[tuple[str, str]],
    shares: np.ndarray,
    audited_labels: bool,
    lessons: Lessons,
    phrases: LearnedPhrases,
    rankers: dict[str, Ranker],
    facts: dict[str, Any],
    profile: dict[str, Any] | None = None,
    site: Path | None = None,
) -> None:
    """Write a release into ``folder`` (made if need be); ``facts`` are kept in the manifest."""
    for sub in ("phrases", "rankers"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    written: list[Path] = []

    def array(path: str, values: np.ndarray) -> None:
        np.save(folder / f"{path}.npy", values, allow_pickle=False)
        written.append(folder / f"{path}.npy")

    for lesson, field, values in lessons.arrays():
        (folder / lesson).mkdir(parents=True, exist_ok=True)
        array(f"{lesson}/{field}", values)
    array("phrases/key", phrases.key)
    array("phrases/code", phrases.code)
    array("phrases/words", phrases.words)
    array("shares", shares.astype(np.float32))
    for group, ranker in rankers.items():
        for field in ("feature", "threshold", "mask", "leaf"):
            array(f"rankers/{group}_{field}", getattr(ranker.forest, field))
        array(f"rankers/{group}_knots", ranker.knots)
        array(f"rankers/{group}_values", ranker.values)
    (folder / "labels.json").write_text(json.dumps([f"{s}:{c}" for s, c in labels]), encoding="utf-8")
    written.append(folder / "labels.json")
    if profile is not None:
        (folder / PROFILE).write_text(json.dumps(profile, sort_keys=True), encoding="utf-8")
        written.append(folder / PROFILE)
    if site is not None:
        (folder / SITE).mkdir(exist_ok=True)
        for file in sorted(site.glob("*.tsv")):
            written.append(Path(shutil.copyfile(file, folder / SITE / file.name)))
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "audited_labels": audited_labels,
        "features": list(FEATURES),
        "thresholds": {g: r.threshold for g, r in rankers.items()},
        "baselines": {g: r.forest.baseline for g, r in rankers.items()},
        **facts,
        "files": {p.relative_to(folder).as_posix(): _digest(p) for p in sorted(written)},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def load_release(folder: Path, sha256: str | None = None) -> Release:
    """Check and load a release; with ``sha256``, only when its manifest has this hash.

    Raises :class:`ModelError` that says what to do about what is wrong.
    """
    manifest, digest = check_release(folder, settings().trusted_keys)
    if sha256 not in (None, digest):
        raise ModelError(f"the model in {folder.name} was changed after it was promoted: promote it again")
    if manifest.get("features") != list(FEATURES):
        raise ModelError(f"the model in {folder.name} was trained with other features: train it again")

    def array(path: str) -> np.ndarray:
        return np.asarray(np.load(folder / f"{path}.npy", mmap_mode="r", allow_pickle=False))

    rankers = {}
    for group in GROUPS:
        if f"rankers/{group}_leaf.npy" in manifest["files"]:
            rankers[group] = Ranker(
                Forest(
                    feature=array(f"rankers/{group}_feature"),
                    threshold=array(f"rankers/{group}_threshold"),
                    mask=array(f"rankers/{group}_mask"),
                    leaf=array(f"rankers/{group}_leaf"),
                    baseline=float(manifest["baselines"][group]),
                ),
                np.asarray(array(f"rankers/{group}_knots")),
                np.asarray(array(f"rankers/{group}_values")),
                float(manifest["thresholds"][group]),
            )
    names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    labels = [(s, c) for s, _, c in (n.partition(":") for n in names)]
    return Release(
        id=ModelId(manifest["name"], manifest["version"], digest),
        manifest=manifest,
        labels=labels,
        shares=np.asarray(array("shares")),
        audited_labels=manifest["audited_labels"],
        lessons=lessons_of(lambda lesson, field: array(f"{lesson}/{field}")),
        phrases=LearnedPhrases(*(array(f"phrases/{f}") for f in ("key", "code", "words"))),
        rankers=rankers,
        site=folder / SITE if any(name.startswith(f"{SITE}/") for name in manifest["files"]) else None,
        profile=json.loads((folder / PROFILE).read_bytes()) if PROFILE in manifest["files"] else None,
    )


def check_release(folder: Path, trusted: Path | None = None) -> tuple[dict[str, Any], str]:
    """The manifest and its SHA-256, after every file was found to have its hash, and, where ``trusted`` names public
    keys, the signature to be by one of them. Raises :class:`ModelError`."""
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError:
        raise ModelError(f"there is no model in {folder}: train one, or name another with --model") from None
    if trusted is not None:
        require_trusted(folder, raw, trusted)
    try:
        manifest = json.loads(raw)
        files = dict(manifest["files"])
        form = manifest["format"]
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"the manifest of the model in {folder.name} is damaged: restore the release") from None
    if form != FORMAT:
        raise ModelError(f"the model in {folder.name} has format {form}; this version reads {FORMAT}: train it again")
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            raise ModelError(f"the model in {folder.name} lacks {name}: restore the release")
        if _digest(file) != expected:
            raise ModelError(f"{name} of the model in {folder.name} does not have the hash that its manifest states")
    return manifest, hashlib.sha256(raw).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
