"""The process of shadow mode as the service has it: started beside it, and stopped with it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from api.processors import unpin
from api.settings import ApiSettings
from api.shadow.scoring import last_note
from api.store.database import Database

SECONDS_TO_STOP = 5
log = logging.getLogger("codeassist.shadow")


class Shadow:
    """Runs the worker where the settings name a candidate release; without one it does nothing."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether notes are being scored in shadow now."""
        return self._process is not None and self._process.poll() is None

    @contextmanager
    def beside(self, database: Database) -> Iterator[None]:
        """Keep the worker running inside the block: it scores what comes into ``database`` from now on. That it can't
        be started is logged, and nothing else."""
        if self._settings.shadow_model is not None:
            self._start(database)
        try:
            yield
        finally:
            self._stop()

    def _start(self, database: Database) -> None:
        settings = self._settings
        environment = {
            **os.environ,
            "CODEASSIST_DATABASE_URL": settings.database_url,
            "CODEASSIST_SHADOW_MODEL": str(settings.shadow_model),
            "CODEASSIST_SHADOW_QUEUE": str(settings.shadow_queue),
            "OMP_NUM_THREADS": "1",
        }
        try:
            with database.reading() as session:
                after = last_note(session)
            command = [sys.executable, "-m", "api.shadow.worker", str(os.getpid()), str(after)]
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
            unpin(self._process.pid)  # beside the workers, not in the way of the one that starts it
        except (OSError, SQLAlchemyError) as error:
            log.error("shadow mode could not be started: %s", type(error).__name__)

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
