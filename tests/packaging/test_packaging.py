"""What is shipped: the Makefile, the locks, a wheel with its data, and files that name no machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

LOCKS = ("requirements.txt", "requirements-test.txt")
NOT_OURS = {".git", ".venv", ".cache", "__pycache__", "build", "dist", "out", "wheels"}
BINARY = {".npy", ".png", ".pyc", ".joblib"}
# Written in pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:work|root|opt|mnt)/\w" + r"|/home/\w+/|/(?:Users)/\w+/|\b[A-Z]:\\\\Users")
REGISTRY = re.compile("py" + r"pi\.org|python" + r"hosted\.|npm" + r"js\.|--(?:extra-)?index" + "-url ")


def project_files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in NOT_OURS and not n.endswith(("_cache", ".egg-info", ".hypothesis"))]
        yield from (Path(folder, f) for f in files)


@pytest.mark.parametrize("target", ["serve", "test", "lint", "bundle", "clean", "setup", "setup-test"])
def test_the_makefile_has_the_target(root: Path, target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [".ci/run", "tools/chromium"])
def test_scripts_parse_and_may_be_run(root: Path, path: str) -> None:
    script = root / path
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_the_lock_is_pinned_and_hashed(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")
    assert "://" not in text and "index" not in text.splitlines()[0]
    blocks = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"^#.*$", "", text, flags=re.M).strip())
    for block in filter(str.strip, blocks):
        assert re.match(r"\s*[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def test_the_locks_agree_and_hold_all_that_the_project_asks_for(root: Path) -> None:
    pins = [set(re.findall(r"^([a-z0-9._-]+==\S+)", (root / lock).read_text(encoding="utf-8"), re.M)) for lock in LOCKS]
    assert pins[0] <= pins[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    names = {p.split("==")[0] for p in pins[0]}
    assert {_name(w) for w in wanted} <= names
    tests = project["project"]["optional-dependencies"]["test"]
    assert {_name(w) for w in tests} <= {p.split("==")[0] for p in pins[1]}


def _name(requirement: str) -> str:
    """The name of a requirement as lock files write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["path of a machine", "address of a registry"])
def test_no_file_names_a(root: Path, pattern: re.Pattern[str]) -> None:
    found = []
    for path in project_files(root):
        if path.suffix in BINARY:
            continue
        hit = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        if hit is not None:
            found.append(f"{path.relative_to(root)}: {hit[0]}")
    assert not found


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from a copy of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    parts = [root / name for name in ("pyproject.toml", "README.md", "src", "api", "training", "models")]
    subprocess.run(["cp", "-rP", *parts, source], check=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "-w",
            folder,
            source,
        ],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_carries_every_file_of_the_packages(root: Path, wheel: list[str]) -> None:
    expected = set()
    for base, folder in ((root / "src", root / "src" / "codeassist"), (root, root / "api"), (root, root / "training")):
        for path in project_files(folder):
            name = path.relative_to(base).as_posix()
            if path.suffix != ".pyc" and not name.startswith("training/notes/"):
                expected.add(name)
    assert expected - set(wheel) == set()


def test_the_wheel_carries_the_model_inside_the_package(root: Path, wheel: list[str]) -> None:
    shipped = {f"codeassist/models/{p.relative_to(root / 'models').as_posix()}" for p in project_files(root / "models")}
    assert "codeassist/models/manifest.json" in shipped
    assert shipped - set(wheel) == set()


def test_the_wheel_carries_nothing_else(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"codeassist", "codeassist_client", "api", "training"}
    assert not [name for name in wheel if "__pycache__" in name or name.startswith("training/notes")]


def test_the_bundle_packs_the_project_and_no_leftovers(root: Path, tmp_path: Path) -> None:
    sys.path.insert(0, str(root / "tools"))
    try:
        import bundle
    finally:
        sys.path.remove(str(root / "tools"))
    names = set(bundle.project_files())
    assert {"Makefile", "requirements.txt", "pyproject.toml", "src/codeassist/__init__.py"} <= names
    assert "src/codeassist/models" in names  # the link itself, not what it points to
    assert not [n for n in names if n.split("/")[0] in NOT_OURS]
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(root / "Makefile", "Makefile", filter=bundle.anonymous)
        assert archive.getmember("Makefile").uid == 0
