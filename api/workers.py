"""Several processes that serve one listening socket, and the one that starts them, watches them and stops them.

Each worker has an application, an assistant and threads of its own; the model and the terminology are mapped files of
which all have the same pages. Little is imported here: a new process does it before it can answer its watcher.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from api.peers import Peers
from api.processors import are_pinned, pin
from api.serving import log_to_stderr, make_server
from api.sharing import Loads, Share

if TYPE_CHECKING:
    from api.serving import Server
    from api.settings import ApiSettings

SECONDS_TO_ANSWER = 30
"""A worker that does not answer its watcher for so long is replaced."""
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
log = logging.getLogger("codeassist.api")


class Worker(Process):
    """One process, as its watcher sees it; :meth:`target` runs within it.

    ``number`` counts from 0, and a worker that replaces another has the number of that. What has to run in a single
    process of the service, such as a listener on a port of its own, belongs to number 0.
    """

    def __init__(
        self,
        number: int,
        settings: ApiSettings,
        config: Config,
        sockets: list[socket],
        mllp: socket | None,
        loads: Loads,
        folder: Path,
    ) -> None:
        self.number = number
        self.loads = loads
        self.folder = folder
        self.settings = settings
        self.mllp = mllp if number == 0 else None
        super().__init__(config, sockets)

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve until told to stop; ends with :data:`STARTUP_FAILURE` when the assistant can't be loaded."""
        self.parent_conn.close()  # its end is the watcher's alone, so that its death is seen
        log_to_stderr()
        if are_pinned(self.settings):
            pin(self.number)
        threading.Thread(target=self.always_pong, daemon=True).start()
        self._made.run(sockets)
        if self._made.failure is not None:
            sys.exit(STARTUP_FAILURE)

    def always_pong(self) -> None:
        """Answer the watcher, and stop when it is gone: nobody else would stop this worker."""
        try:
            while True:
                self.child_conn.recv()
                self.child_conn.send("_made" in self.__dict__ and self._made.started)
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)

    @cached_property
    def _made(self) -> Server:
        from api.store.database import Database

        database = Database(self.settings.database_url)
        share, peers = Share(self.loads, self.number), Peers(self.folder, self.number)
        return make_server(self.settings, database, self.mllp, self.number == 0, share, peers)


class Workers(Multiprocess):
    """Starts the workers, puts another in the place of one that dies, and passes on SIGTERM and SIGINT."""

    def __init__(self, settings: ApiSettings, sockets: list[socket], mllp: socket | None, folder: Path) -> None:
        config = Config(
            "api.serving",
            workers=settings.workers,
            log_config=None,
            log_level="warning",
            timeout_worker_healthcheck=SECONDS_TO_ANSWER,
        )
        super().__init__(config, sockets)
        self.settings = settings
        self.mllp = mllp
        self.loads = Loads(settings.workers)
        self.folder = folder
        self.failed = False

    def init_processes(self) -> None:
        """Start all."""
        self.processes = [self._started(number) for number in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace what has died or hangs; where a worker can't load what it needs, all stop."""
        for number, process in enumerate(self.processes):
            if process.is_alive(timeout=SECONDS_TO_ANSWER):
                continue
            if process.process.is_alive():
                log.error("worker %d does not answer: it is replaced", number)
            process.kill()
            process.join()
            self.loads.leave(number)
            _forget_gauges(process.pid)
            if process.exitcode == STARTUP_FAILURE:
                self.failed = True
                self.should_exit.set()
                return
            log.error("worker %d has ended (%s): another takes its place", number, process.exitcode)
            self.processes[number] = self._started(number)

    def terminate_all(self) -> None:
        """Take no more callers, and tell all to end what they have."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def handle_hup(self) -> None:
        """Nothing: a promoted release is taken up without a signal."""

    handle_ttin = handle_ttou = handle_hup

    def _started(self, number: int) -> Worker:
        worker = Worker(number, self.settings, self.config, self.sockets, self.mllp, self.loads, self.folder)
        worker.start()
        return worker


def run_workers(settings: ApiSettings, listener: socket, mllp: socket | None = None) -> bool:
    """Serve with several workers until told to stop; gives whether they could load what they need. HL7 messages come
    in at ``mllp``.

    Their metrics and their sockets meet in a folder that is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="codeassist-") as folder:
        os.environ[SHARED_METRICS] = folder
        workers = Workers(settings, [listener], mllp, Path(folder))
        workers.run()
    return not workers.failed


def _forget_gauges(pid: int | None) -> None:
    """What a worker that is gone said of itself is no longer so. What it has counted stays."""
    for file in Path(os.environ[SHARED_METRICS]).glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
