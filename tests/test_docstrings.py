"""The examples in the docstrings of the library run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import codeassist

MODULES = [
    m.name
    for m in pkgutil.walk_packages(codeassist.__path__, "codeassist.")
    if not m.name.startswith(("codeassist.terminology", "codeassist.models"))
]


@pytest.mark.parametrize("name", ["codeassist", *MODULES])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
