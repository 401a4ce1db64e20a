"""Writes dist/codeassist-bundle-VERSION-PLATFORM.tar: the project, its model and every wheel that it needs.

Unpacked on a machine without a network, with the same platform and series of Python, ``make serve`` and
``make test`` work from it: the Makefile installs from ``wheels/`` when that folder lies beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements-test.txt"
"""Holds the lock of the service too."""
NOT_OURS = {".git", ".venv", ".cache", "__pycache__", "build", "dist", "out", "wheels"}


def main() -> None:
    """Download the wheels, then write the archive aside and put it in place."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    series = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_")
    target = ROOT / "dist" / f"codeassist-bundle-{version}-{platform}-{series}.tar"
    target.parent.mkdir(exist_ok=True)
    top = f"codeassist-{version}"
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        wheels = download(Path(folder) / "wheels")
        aside = Path(folder) / target.name
        with tarfile.open(aside, "w") as archive:
            for path in sorted(project_files()):
                archive.add(ROOT / path, f"{top}/{path}", recursive=False, filter=anonymous)
            for wheel in wheels:
                archive.add(wheel, f"{top}/wheels/{wheel.name}", filter=anonymous)
        aside.rename(target)
    print(f"{target.relative_to(ROOT)}: {len(wheels)} wheels, {target.stat().st_size / 1e6:.0f} MB")


def download(folder: Path) -> list[Path]:
    """The wheels of the lock for this Python, each checked against its hash."""
    near = ROOT / "wheels"
    source = ["--no-index", "--find-links", str(near)] if near.is_dir() else []
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*pip, "download", *options, *source, "-r", str(ROOT / LOCK)], check=True)
    return sorted(folder.iterdir())


def project_files() -> Iterator[str]:
    """What git tracks; without git, everything here that is not made by a build."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True)
        yield from (name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())
        return
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if n not in NOT_OURS and not n.endswith(("_cache", ".egg-info", ".hypothesis"))]
        links = [n for n in names if Path(folder, n).is_symlink()]
        yield from (str(Path(folder, n).relative_to(ROOT)) for n in [*files, *links])


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's files: the archive does not tell who packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
