"""What the READMEs show is there: their commands and options, their Python, every setting, every linked file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer.main

from api.settings import ApiSettings
from codeassist import cli
from codeassist.ranking.tiers import REPORTING_GROUPS
from codeassist.settings import settings

READMES = (
    "README.md",
    "training/README.md",
    "docs/rules.md",
    "docs/registry.md",
    "docs/reviews.md",
    "docs/retraining.md",
    "docs/accounts.md",
    "docs/integration-hl7.md",
)


def blocks(root: Path, name: str, *languages: str) -> list[str]:
    text = (root / name).read_text(encoding="utf-8")
    return [body for language, body in re.findall(r"```(\w+)\n(.*?)```", text, re.S) if language in languages]


def commands(root: Path, name: str) -> list[list[str]]:
    """Every codeassist command of the shell blocks, without what it prints."""
    found = []
    for block in blocks(root, name, "sh", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True) if re.match(r"(\$ )?codeassist ", line) else []
            if words:
                found.append(words[1:])
    return found


@pytest.fixture(scope="module")
def program() -> click.Group:
    cli.add_commands()
    group = typer.main.get_command(cli.app)
    assert hasattr(group, "commands")
    return group  # type: ignore[return-value]


@pytest.mark.parametrize("name", READMES)
def test_every_command_shown_exists_with_its_options(root: Path, program: click.Group, name: str) -> None:
    shown = commands(root, name)
    assert shown
    for words in shown:
        command = program.commands[words[0]]
        if hasattr(command, "commands"):
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, words


def test_the_readme_names_every_command(root: Path, program: click.Group) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    for name, command in program.commands.items():
        for sub in getattr(command, "commands", {"": None}):
            if (name, sub) != ("terminology", "build"):
                assert f"codeassist {name} {sub}".strip() in text


def test_the_readme_names_every_setting(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `CODEASSIST_(\w+)`", text, re.M))
    assert named == {name.upper() for name in ApiSettings.model_fields}
    assert all(group in text for group in REPORTING_GROUPS)


def test_the_python_example_runs_and_finds_codes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks(root, "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert any("E11.22" in line for line in lines)
    assert lines[-1] == "Assertion(status='negated', cue=Span(start=41, end=47, text='Denies'))"


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_to_a_file(root: Path, name: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", (root / name).read_text(encoding="utf-8")):
        assert ((root / name).parent / link).exists(), link


def test_the_shipped_model_is_named_as_in_the_command_that_made_it(root: Path) -> None:
    (made,) = [words for words in commands(root, "training/README.md") if "codeassist-us" in words]
    assert '"name": "codeassist-us"' in (settings().model_dir / "manifest.json").read_text(encoding="utf-8")
    assert made[made.index("--out") + 1] == "models"
