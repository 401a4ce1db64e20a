"""The registry: what is promoted, refused, rolled back, signed and verified, and what is loaded then."""

from __future__ import annotations

import doctest
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization as keys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sample_releases import copy_release, rewrite, worse_release

import codeassist
from codeassist import registry as pointer_module
from codeassist.errors import InputError, ModelError
from codeassist.registry import POINTER, chosen_release, promotion_stamp, read_pointer
from codeassist.release import MANIFEST, load_release
from codeassist.settings import Settings, settings
from codeassist.signing import SIGNATURE, read_public_keys
from training.audited import AuditedNote, read_audited
from training.evaluation.scoring import Scores, score
from training.metrics import MEASURES, WIDTH, f1, measure
from training.registry import compare as compare_module
from training.registry.compare import compare
from training.registry.folder import SHIPPED, Registry
from training.registry.gates import GATES, read_fixed, read_gates
from training.registry.history import LOG, read_log, served
from training.registry.integrity import sign_release, verify_registry, verify_release
from training.registry.promotion import PromotionRefused, promote, read_notes, roll_back


@pytest.fixture
def site(tmp_path: Path) -> Registry:
    """A registry with the releases ``one`` and ``two``, as good as the shipped one, and ``worse``."""
    folder = tmp_path / "registry"
    folder.mkdir()
    copy_release(folder, "one")
    copy_release(folder, "two")
    worse_release(folder, "worse")
    return Registry(folder, settings().model_dir)


@pytest.fixture(scope="module")
def some_notes(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty of the notes kept for evaluation, as JSON Lines."""
    path = tmp_path_factory.mktemp("notes") / "audited.jsonl"
    notes = list(read_audited(root / "training" / "notes" / "evaluation"))[::3]
    path.write_text("".join(json.dumps(record_of(n)) + "\n" for n in notes), encoding="utf-8")
    return path


def record_of(audited: AuditedNote) -> dict[str, Any]:
    note = audited.note
    return {
        "id": note.id,
        "text": note.text,
        "setting": note.setting,
        "date_of_service": note.date_of_service.isoformat(),
        "codes": [
            {"system": c.system, "code": c.key, "evidence": [{"start": s, "end": e} for s, e in c.evidence]}
            for c in audited.codes
        ],
    }


@pytest.fixture
def key_pair(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path, "site")


def write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    private = Ed25519PrivateKey.generate()
    pem, no_password = keys.Encoding.PEM, keys.NoEncryption()
    first, second = folder / f"{name}-private.key", folder / f"{name}-public.pem"
    first.write_bytes(private.private_bytes(pem, keys.PrivateFormat.PKCS8, no_password))
    second.write_bytes(private.public_key().public_bytes(pem, keys.PublicFormat.SubjectPublicKeyInfo))
    return first, second


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gives ``set_up(**environment)``, which holds for the settings of this process until the test ends."""

    def apply(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield apply
    monkeypatch.undo()
    settings.cache_clear()


# -- promote and roll back ---------------------------------------------------------------------------------------------


def test_promote_and_roll_back_through_the_whole_history(site: Registry) -> None:
    assert promote(site, "one").before == SHIPPED
    assert promote(site, "two").before == "one"
    assert read_pointer(site.folder).release == "two"  # type: ignore[union-attr]
    assert roll_back(site, "odd codes") == "one"
    assert roll_back(site) == SHIPPED
    assert read_pointer(site.folder) is None
    with pytest.raises(InputError, match="nothing is promoted"):
        roll_back(site)
    assert promote(site, "two").before == SHIPPED
    steps = read_log(site.folder)
    assert [s.action for s in steps] == ["promote", "promote", "rollback", "rollback", "promote"]
    assert steps[2].record["reason"] == "odd codes"
    for step in steps:
        assert step.record["user"] and step.record["time"].endswith("+00:00")
    assert "out_of_fold" in steps[0].record["metrics"]
    assert [s.release for s in served(steps)] == ["two"]


def test_a_worse_release_is_refused_and_forced_only_with_a_reason(site: Registry, some_notes: Path) -> None:
    promote(site, "one")
    with pytest.raises(PromotionRefused, match=r"overall icd-10-cm: F1 .* interval -"):
        promote(site, "worse", audited=[some_notes])
    assert read_pointer(site.folder).release == "one"  # type: ignore[union-attr]
    assert len(read_log(site.folder)) == 1
    with pytest.raises(InputError, match="--force needs --reason"):
        promote(site, "worse", audited=[some_notes], force=True, reason=" ")
    done = promote(site, "worse", audited=[some_notes], force=True, reason="the old one is withdrawn")
    assert done.forced
    last = read_log(site.folder)[-1].record
    assert last["reason"] == "the old one is withdrawn" and last["forced"]
    assert last["comparison"]["systems"]["icd-10-cm"]["f1"]["verdict"] == "worse"
    assert roll_back(site) == "one"


def test_an_equal_release_passes_and_says_what_was_compared(site: Registry, some_notes: Path) -> None:
    done = promote(site, "two", audited=[some_notes])
    assert not done.forced and all(o.passed for o in done.outcomes)
    assert {o.gate for o in done.outcomes} >= {"overall icd-10-cm", "notes of their own"}
    assert done.compared is not None
    assert all(d.difference == 0 for by in done.compared.systems.values() for d in by.values())


def test_the_registry_s_own_gates_hold_for_every_promotion(site: Registry, some_notes: Path) -> None:
    fixed = {"id": "f", "text": "Assessment: gout of the left knee.", "date_of_service": "2026-03-02"}
    right = {**fixed, "must_not_suggest": [{"system": "icd-10-cm", "code": "C50.911"}]}
    wrong = {**fixed, "must_code": [{"system": "icd-10-cm", "code": "C50.911"}]}
    (site.folder / "fixed.jsonl").write_text(json.dumps(right) + "\n", encoding="utf-8")
    (site.folder / "audited.jsonl").write_bytes(some_notes.read_bytes())
    (site.folder / GATES).write_text(
        'audited = "audited.jsonl"\n[overall]\nsystems = ["icd-10-cm"]\n[chapters]\nleast_codes = 10\n'
        '[must_not_fail]\nnotes = "fixed.jsonl"\n',
        encoding="utf-8",
    )
    done = promote(site, "one")
    names = {o.gate for o in done.outcomes}
    assert {"overall icd-10-cm", "must not fail: fixed.jsonl, line 1"} <= names
    assert any(n.startswith("chapter ") for n in names) and "overall cpt" not in names
    with pytest.raises(PromotionRefused, match="chapter "):
        promote(site, "worse")
    (site.folder / "fixed.jsonl").write_text(json.dumps(wrong) + "\n", encoding="utf-8")
    with pytest.raises(PromotionRefused, match=r"must not fail: fixed.jsonl, line 1: C50911 lacks tier code"):
        promote(site, "two")


def test_notes_that_it_was_trained_on_do_not_count(site: Registry, root: Path, tmp_path: Path) -> None:
    notes = tmp_path / "trained.jsonl"
    notes.write_text(json.dumps(record_of(next(read_audited(root / "training/notes/evaluation")))), encoding="utf-8")
    from training.fingerprint import data_record

    path = site.folder / "one" / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["data"] = [data_record(notes, "none")]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(PromotionRefused, match="the very notes"):
        promote(site, "one", audited=[notes])


def test_what_can_not_be_promoted(site: Registry, tmp_path: Path) -> None:
    for name in ("nothing", "../registry/nothing"):
        with pytest.raises(InputError, match="there is no release"):
            promote(site, name)
    with pytest.raises(InputError, match="does not lie in the registry"):
        promote(site, SHIPPED)
    promote(site, "one")
    with pytest.raises(InputError, match="promoted already"):
        promote(site, "one")
    (site.folder / "two" / "shares.npy").write_bytes(b"")
    with pytest.raises(ModelError, match="does not have the hash"):
        promote(site, "two", force=True, reason="whatever")
    (site.folder / GATES).write_text("[overall]\n", encoding="utf-8")
    with pytest.raises(InputError, match="name notes with --audited"):
        promote(site, "worse")
    with pytest.raises(InputError, match="there is no registry"):
        roll_back(Registry(tmp_path / "elsewhere", settings().model_dir))


def test_gates_that_have_nothing_to_measure_do_not_pass(site: Registry, tmp_path: Path) -> None:
    notes = tmp_path / "notes.jsonl"
    record = {"text": "Assessment: gout.", "codes": [{"system": "icd-10-cm", "code": "M10.9"}]}
    notes.write_text(json.dumps(record), encoding="utf-8")
    (site.folder / GATES).write_text('[overall]\nsystems = ["cpt"]\n', encoding="utf-8")
    with pytest.raises(PromotionRefused, match="overall cpt: the notes have no codes of this system"):
        promote(site, "one", audited=[notes])
    notes.write_text(json.dumps({**record, "codes": []}), encoding="utf-8")
    with pytest.raises(InputError, match="no audited notes with codes"):
        promote(site, "one", audited=[notes])


def test_what_is_served_can_be_left_by_force_when_it_is_damaged(site: Registry, some_notes: Path) -> None:
    promote(site, "one")
    (site.folder / "one" / "shares.npy").unlink()
    with pytest.raises(PromotionRefused, match="what is served now can't be measured"):
        promote(site, "two", audited=[some_notes])
    assert promote(site, "two", audited=[some_notes], force=True, reason="the disk was full").forced


def test_two_promotions_at_the_same_time(site: Registry) -> None:
    with site.lock(), pytest.raises(InputError, match="another promotion is under way"):
        promote(site, "one")


def test_a_promotion_cut_off_before_the_switch_is_made_good(site: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(site, "one")
    with monkeypatch.context() as killed:
        killed.setattr(Registry, "point", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            promote(site, "two")
    assert read_pointer(site.folder).release == "one"  # type: ignore[union-attr]
    assert verify_registry(site).problems == ["the log's last release is two, but one is promoted"]
    assert roll_back(site) == "one"
    assert not verify_registry(site).problems


def test_a_rollback_does_not_go_to_what_was_changed(site: Registry) -> None:
    promote(site, "one")
    promote(site, "two")
    rewrite(site.folder / "one", version="changed")
    with pytest.raises(ModelError, match="changed after it was promoted"):
        roll_back(site)
    assert read_pointer(site.folder).release == "two"  # type: ignore[union-attr]


def test_a_log_that_was_changed_is_told(site: Registry) -> None:
    promote(site, "one", reason="first")
    promote(site, "two")
    log = site.folder / LOG
    log.write_text(log.read_text(encoding="utf-8").replace("first", "other"), encoding="utf-8")
    assert "line 2" in verify_registry(site).problems[0]
    with pytest.raises(ModelError, match="line 2"):
        roll_back(site)


# -- gates and comparison ----------------------------------------------------------------------------------------------

WRONG_GATES = {
    "an unknown table": ("[overal]\n", "overal"),
    "an unknown system": ('[overall]\nsystems = ["icd-9"]\n', "overall.systems"),
    "no notes": ("[must_not_fail]\n", "must_not_fail.notes"),
    "not TOML": ("[overall\n", "not TOML"),
}


@pytest.mark.parametrize("name", WRONG_GATES)
def test_gates_that_can_not_be_read(tmp_path: Path, name: str) -> None:
    text, message = WRONG_GATES[name]
    (tmp_path / "gates.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_gates(tmp_path / "gates.toml")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "has no notes"),
        ("{", "line 1"),
        ('{"text": "Gout."}', "needs codes in 'must_code' or 'must_not_suggest'"),
        ('{"text": "Gout.", "must_code": ["M10.9"]}', "list of objects"),
        ('{"text": "Gout.", "must_code": [{"system": "x", "code": "1"}]}', "unknown systems: x"),
    ],
)
def test_fixed_notes_that_can_not_be_read(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "fixed.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_fixed(tmp_path / "fixed.jsonl")


def test_scores_are_those_of_evaluate(assistant: codeassist.CodeAssistant, some_notes: Path) -> None:
    notes = read_notes([some_notes])
    results = [assistant.suggest(n.note) for n in notes]
    scores = score(notes, results)
    compared = compare(scores, scores)
    for system, figures in measure(notes, results).items():
        for name in MEASURES:
            assert compared.systems[system][name].a == pytest.approx(figures[name], abs=1e-9), (system, name)


def test_the_interval_is_that_of_the_differences(assistant: codeassist.CodeAssistant, some_notes: Path) -> None:
    rng = np.random.default_rng(1)
    rows = np.zeros((400, WIDTH))
    rows[:, 1] = rows[:, 2] = 4
    rows[:, 0] = rng.integers(1, 4, 400)
    better = rows.copy()
    better[::10, 0] += 1
    compared = compare(Scores({"cpt": rows}, {}), Scores({"cpt": better}, {}))
    d = compared.systems["cpt"]["f1"]
    assert d.difference == pytest.approx(float(f1(better.sum(axis=0)) - f1(rows.sum(axis=0))))
    # each tenth note gains 1 of 4: the mean is .025, and its standard error sqrt(.1 * .9) / 4 / sqrt(400)
    error = 0.3 / 4 / 20
    assert d.low == pytest.approx(0.025 - 1.96 * error, abs=0.001) and d.high == pytest.approx(
        0.025 + 1.96 * error, abs=0.001
    )
    assert d.verdict == "better"
    assert compared == compare(Scores({"cpt": rows}, {}), Scores({"cpt": better}, {}))


def test_the_examples_in_the_docstrings() -> None:
    for module in (compare_module, pointer_module):
        assert doctest.testmod(module).failed == 0


# -- what is loaded ----------------------------------------------------------------------------------------------------


def test_the_promoted_release_is_loaded_when_none_is_named(site: Registry, set_up: Any) -> None:
    set_up(CODEASSIST_REGISTRY_DIR=str(site.folder))
    assert promotion_stamp() is None
    assert codeassist.load().model.version == json.loads((settings().model_dir / MANIFEST).read_text())["version"]
    promote(site, "two")
    first = promotion_stamp()
    assert first is not None
    assert codeassist.load().model.version == "two"
    assert codeassist.load(site.folder / "one").model.version == "one"
    promote(site, "one")
    assert promotion_stamp() != first
    set_up(CODEASSIST_MODEL_DIR=str(site.folder / "two"))
    assert codeassist.load().model.version == "two"
    assert promotion_stamp() is None


def test_a_release_changed_after_promotion_is_not_loaded(site: Registry, set_up: Any) -> None:
    set_up(CODEASSIST_REGISTRY_DIR=str(site.folder))
    promote(site, "one")
    rewrite(site.folder / "one", version="changed")
    with pytest.raises(ModelError, match="changed after it was promoted"):
        codeassist.load()


@pytest.mark.parametrize("text", ["", "[]", '{"release": "../x", "sha256": "a"}', '{"release": ".x", "sha256": "a"}'])
def test_a_damaged_pointer_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / POINTER).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="promote a release again"):
        chosen_release(Settings(registry_dir=tmp_path))


# -- signatures and verification ---------------------------------------------------------------------------------------


def test_with_trusted_keys_nothing_unsigned_is_loaded(
    site: Registry, key_pair: tuple[Path, Path], tmp_path: Path, set_up: Any
) -> None:
    private, public = key_pair
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    set_up(CODEASSIST_TRUSTED_KEYS=str(trusted))
    with pytest.raises(ModelError, match="trusted keys can't be used"):
        load_release(site.folder / "one")
    write_keys(trusted, "another")
    (trusted / "site.pem").write_bytes(public.read_bytes())
    for name in ("one", "two"):
        with pytest.raises(ModelError, match="is not signed: "):
            load_release(site.folder / name)
    with pytest.raises(ModelError, match="is not signed: "):
        promote(site, "one", force=True, reason="whatever")
    sign_release(site.folder / "one", private)
    assert load_release(site.folder / "one").id.version == "one"
    rewrite(site.folder / "one", version="changed")
    with pytest.raises(ModelError, match="or was changed after it was signed"):
        load_release(site.folder / "one")
    stranger, _ = write_keys(tmp_path, "stranger")
    sign_release(site.folder / "two", stranger)
    with pytest.raises(ModelError, match="not signed by a trusted key"):
        load_release(site.folder / "two")
    (site.folder / "two" / SIGNATURE).write_text("?", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        load_release(site.folder / "two")


def test_keys_that_can_not_be_used(site: Registry, key_pair: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = key_pair
    with pytest.raises(InputError, match="not an Ed25519 private key"):
        sign_release(site.folder / "one", public)
    with pytest.raises(InputError, match="can't be read"):
        sign_release(site.folder / "one", tmp_path / "none.pem")
    with pytest.raises(InputError, match="not a public key"):
        read_public_keys(private)


def test_verify_finds_what_is_wrong(site: Registry, key_pair: tuple[Path, Path]) -> None:
    private, public = key_pair
    one = site.folder / "one"
    assert verify_release(one).problems == [] and verify_release(one).signature == "not signed"
    assert "is not signed" in verify_release(one, public).problems[0]
    sign_release(one, private)
    assert verify_release(one, public).problems == [] and verify_release(one, public).signature == "signed, and right"
    (one / "more.npy").write_bytes(b"")
    assert verify_release(one).problems == ["more.npy is not in the manifest"]
    (one / "shares.npy").write_bytes(b"")
    assert "shares.npy" in verify_release(one).problems[0]
    with pytest.raises(ModelError, match="the hash"):
        sign_release(one, private)


# -- the commands ------------------------------------------------------------------------------------------------------


def test_a_release_of_the_registry_is_not_trained_over(run: Any, site: Registry, some_notes: Path) -> None:
    out = str(site.folder / "one")
    done = run("train", "--audited", str(some_notes), "--out", out, CODEASSIST_REGISTRY_DIR=str(site.folder))
    assert done.returncode == 2 and b"has a release one already" in done.stderr


@pytest.mark.slow
def test_the_commands(run: Any, site: Registry, some_notes: Path, key_pair: tuple[Path, Path]) -> None:
    env = {"CODEASSIST_REGISTRY_DIR": str(site.folder)}
    (site.folder / "broken").mkdir()
    (site.folder / "broken" / MANIFEST).write_text("{", encoding="utf-8")
    done = run("models", "promote", "one", "--audited", str(some_notes), **env)
    assert done.returncode == 0, done.stderr
    assert b"passes  overall icd-10-cm" in done.stdout and b"promoted one instead of shipped" in done.stdout
    refused = run("models", "promote", "worse", "--audited", str(some_notes), **env)
    assert refused.returncode == 1 and b"worse is not promoted" in refused.stderr

    listed = json.loads(run("models", "list", "--format", "json", **env).stdout)
    assert [(r["release"], r["promoted"], r["readable"]) for r in listed] == [
        ("broken", False, False),
        ("one", True, True),
        ("two", False, True),
        ("worse", False, True),
    ]
    assert listed[1]["version"] == "one" and listed[1]["notes"] > 200 and 0 < listed[1]["f1"]["diagnosis"] < 1
    text = run("models", "list", **env).stdout.decode()
    assert "*  one" in text and "the manifest is damaged" in text
    shown = run("models", "show", "one", **env).stdout.decode()
    assert "one (promoted): codeassist-us one" in shown and "promote to one by " in shown

    compared = run("models", "compare", "shipped", "worse", "--audited", str(some_notes), "--format", "json", **env)
    record = json.loads(compared.stdout)
    assert record["systems"]["icd-10-cm"]["f1"]["verdict"] == "worse" and record["notes"] == 20
    assert run("models", "compare", "shipped", "one", **env).returncode == 2

    assert run("models", "sign", "one", "--key", str(key_pair[0]), **env).returncode == 0
    verified = run("models", "verify", "one", "--key", str(key_pair[1]), **env)
    assert verified.returncode == 0 and b"one: right, signed, and right" in verified.stdout
    every = run("models", "verify", **env)
    assert every.returncode == 1 and b"broken: damaged" in every.stdout and b"registry: right" in every.stdout

    back = run("models", "rollback", "--reason", "test", **env)
    assert back.returncode == 0 and b"shipped is served again" in back.stdout
    assert not os.path.exists(site.folder / POINTER)
