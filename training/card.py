"""The model card, written from the manifest."""

from __future__ import annotations

import json
from pathlib import Path

from codeassist.release import MANIFEST
from training.fingerprint import data_line, data_records

_HEAD = """# Model card: {name} {version}

Ranks ICD-10-CM, ICD-10-PCS, CPT and HCPCS codes for a clinical note, for a coder to review. It is an aid: a
certified coder decides every code. It must not be used to bill without review.

## Trained on

{data}

## Parts

Associations of words with codes, gradient-boosted rankers (scikit-learn) over the features that the manifest names,
and, in a model of a site's own labels, a whole-note kernel ridge. Probabilities are calibrated on out-of-fold scores.

## Out-of-fold figures on the training notes

{metrics}

Figures on notes that the model has not seen: `codeassist evaluate --model DIR --audited FILE`.
"""


def write_card(folder: Path, more: str = "") -> None:
    """Write ``MODEL_CARD.md`` into a release; ``more`` is appended (what the makers know of it)."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    lines = [f"- {data_line(d)}" for d in data_records(manifest)]
    metrics = ["| ranker | precision | recall | F1 | candidate recall |", "|---|---|---|---|---|"]
    for group, m in manifest["metrics"]["out_of_fold"].items():
        metrics.append(
            f"| {group} | {m['precision']:.3f} | {m['recall']:.3f} | {m['f1']:.3f} | {m['candidate_recall']:.3f} |"
        )
    metrics += [f"\n{group}: the ranker of the release begun from." for group in manifest.get("kept_rankers", ())]
    text = _HEAD.format(
        name=manifest["name"], version=manifest["version"], data="\n".join(lines), metrics="\n".join(metrics)
    )
    (folder / "MODEL_CARD.md").write_text(text + more, encoding="utf-8")
