"""The keys of the page: shipped ones without conflict, and those of a site."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.keymap import read_keymap
from codeassist.errors import InputError


def test_no_shipped_key_does_two_things(tmp_path: Path) -> None:
    site = tmp_path / "keys.toml"
    site.write_text("[review]\n")
    keymap = read_keymap(site)  # a site's file, even an empty one, has the whole keymap checked
    assert keymap["review"]["accept"]["keys"] == ["y"]
    assert all(row["label"] for actions in keymap.values() for row in actions.values())


def test_a_site_changes_a_key_and_leaves_the_others(tmp_path: Path) -> None:
    site = tmp_path / "keys.toml"
    site.write_text('[review]\naccept = { keys = ["b"] }\n')
    keymap = read_keymap(site)
    assert keymap["review"]["accept"]["keys"] == ["b"]
    assert keymap["review"]["accept"]["label"] == read_keymap()["review"]["accept"]["label"]
    assert keymap["review"]["reject"] == read_keymap()["review"]["reject"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[review]\naccept = { keys = ["x"] }', "gives x to both"),
        ('[review]\naccept = { keys = ["?"] }', "gives \\? to both"),
        ('[everywhere]\nhelp = { keys = ["y"] }', "gives y to both"),
        ('[review]\ndance = { keys = ["b"] }', "dance, which does not exist"),
        ("[review]\naccept = { keys = [] }", "can't be read"),
        ("[review", "can't be read"),
    ],
)
def test_a_wrong_keymap_is_told(tmp_path: Path, text: str, said: str) -> None:
    site = tmp_path / "keys.toml"
    site.write_text(text)
    with pytest.raises(InputError, match=said):
        read_keymap(site)


def test_a_keymap_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_keymap(tmp_path / "none.toml")
