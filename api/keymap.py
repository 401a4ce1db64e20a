"""The keys of the page: the shipped ones, and those that a site changes."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from codeassist.errors import InputError


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[str] = Field(min_length=1)
    label: str = ""
    fixed: bool = False


class _Keymap(RootModel[dict[str, dict[str, _Action]]]):
    pass


@cache
def read_keymap(site: Path | None = None) -> dict[str, dict[str, Any]]:
    """Place to action to ``{"keys", "label"}``, with the keys of a site's file in place of the shipped ones.

    Raises :class:`codeassist.errors.InputError` for a file that can't be read, an action that does not exist, and a
    key that would do two things in one place.
    """
    keymap = _parsed(resources.files("api").joinpath("keymap.toml").read_text("utf-8"))
    if site is None:
        return keymap
    try:
        own = _parsed(site.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(f"the keymap {site} can't be read: {error}") from None
    for place, actions in own.items():
        for action, row in actions.items():
            if action not in keymap.get(place, {}):
                raise InputError(f"the keymap {site} names [{place}] {action}, which does not exist")
            keymap[place][action]["keys"] = row["keys"]
    _check(keymap, str(site))
    return keymap


def _parsed(text: str) -> dict[str, dict[str, Any]]:
    keymap: dict[str, dict[str, Any]] = _Keymap.model_validate(tomllib.loads(text)).model_dump()
    return keymap


def _check(keymap: dict[str, dict[str, Any]], source: str) -> None:
    """A key does one thing in a place, those of ``everywhere`` included."""
    for place in keymap:
        taken: dict[str, str] = {}
        for where in {"everywhere", place}:
            for action, row in keymap[where].items():
                for key in row["keys"]:
                    if key in taken:
                        raise InputError(f"the keymap {source} gives {key} to both {taken[key]} and {action}")
                    taken[key] = action
