"""Settings from the environment (``CODEASSIST_…``) or a TOML file named by ``CODEASSIST_CONFIG``."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from codeassist.errors import InputError
from codeassist.note import MAX_CHARACTERS

CONFIG = "CODEASSIST_CONFIG"


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
    """The model release to load; where it is not set, the registry's promoted release goes before the shipped one."""
    registry_dir: Path = platformdirs.user_data_path("codeassist", appauthor=False) / "models"
    """The folder of releases from which one is promoted (see :mod:`codeassist.registry`)."""
    trusted_keys: Path | None = None
    """Public keys, a file or a folder: where it is set, only releases that one of them has signed are loaded."""
    reported_groups: frozenset[str] = frozenset()
    """Groups of codes that this site reports although many do not (see :mod:`codeassist.ranking.tiers`)."""
    rules: dict[str, Any] = {}
    """The ``[rules]`` table: a level (error, warning, info, off) by rule or family."""
    mention_detectors: tuple[str, ...] = ()
    """Recognisers of the site that take part in finding mentions (see :mod:`codeassist.nlp.detectors`)."""
    drift_psi: float = 0.25
    """Population stability index beyond chance from which a week raises a finding (see :mod:`codeassist.drift`)."""
    drift_divergence: float = 0.1
    """Jensen-Shannon divergence, in bits, from which it does."""
    drift_acceptance: float = 0.1
    """Gap between codes accepted and the probability shown from which it does."""
    drift_notes: int = 30
    """Weeks with fewer notes raise nothing."""
    site_dir: Path | None = None
    """A folder of the site's own terms, cues and codes to train with (see :mod:`codeassist.site`)."""
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
        file = os.environ.get(CONFIG)
        toml = (InitSettingsSource(settings_cls, _read_toml(Path(file))),) if file else ()
        return (init_settings, env_settings, *toml)


Kind = TypeVar("Kind", bound=Settings)


def read_settings(kind: type[Kind]) -> Kind:
    """The settings of the environment and the TOML file. Raises :class:`InputError` that says what to mend."""
    try:
        return kind()
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"a setting can't be used: {found}") from None
    except SettingsError as error:
        raise InputError(f"a setting can't be used: {error}") from None


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises :class:`InputError`."""
    return read_settings(Settings)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{CONFIG} names {file}, which can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is not TOML: {error}") from None
