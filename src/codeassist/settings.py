"""Settings from the environment (``CODEASSIST_…``) or a TOML file named by ``CODEASSIST_CONFIG``."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from codeassist.note import MAX_CHARACTERS


def _shipped_model() -> Path:
    """``models/`` of the checkout, or the copy that a wheel installs beside the package."""
    package = Path(__file__).parent
    installed = package / "models"
    return installed if installed.is_dir() else package.parents[1] / "models"


class Settings(BaseSettings):
    """What a site may set. The environment goes before the TOML file, which goes before these defaults."""

    model_config = SettingsConfigDict(env_prefix="CODEASSIST_", extra="ignore")

    cache_dir: Path = platformdirs.user_cache_path("codeassist", appauthor=False)
    """Where the terminology index is built."""
    model_dir: Path = _shipped_model()
    """The model release to load when none is named."""
    reported_groups: frozenset[str] = frozenset()
    """Groups of codes that this site reports although many do not (see :mod:`codeassist.ranking.tiers`)."""
    rules: dict[str, Any] = {}
    """The ``[rules]`` table: a level (error, warning, info, off) by rule or family."""
    max_characters: int = MAX_CHARACTERS
    """Longest note, in Unicode code points."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get("CODEASSIST_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, file),) if file else ()
        return (init_settings, env_settings, *toml)


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
