"""The assistant of this process: loaded beside the event loop, used in threads of its own, and exchanged when another
release is promoted."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from api.errors import Problem, problem_of
from api.places import Places
from api.telemetry.metrics import Served, observe_stage
from codeassist.errors import CodeassistError
from codeassist.observing import Observer

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

T = TypeVar("T")
RETRY_SECONDS = "2"
WATCH_SECONDS = 2.0
"""How often the registry's pointer is looked at: a promoted release must be served within five seconds."""
log = logging.getLogger("codeassist.api")


class Engine:
    """Holds the assistant once it is loaded, or the reason why it could not be.

    Parameters
    ----------
    load : what makes the assistant, such as :func:`codeassist.load`
    threads : how many notes may be read at the same time
    places : how much work is taken on
    observer : is told the stages of each note
    on_failure : called when loading failed, so that the command can stop the server
    stamp : changes when ``load`` would give another release; without it the first one stays
    """

    def __init__(
        self,
        load: Callable[[], CodeAssistant],
        threads: int,
        places: Places,
        on_failure: Callable[[], None],
        stamp: Callable[[], object] | None = None,
        observer: Observer = observe_stage,
    ) -> None:
        self._load = load
        self._threads = threads
        self._on_failure = on_failure
        self._stamp = stamp
        self.places = places
        self._observer = observer
        self._served = Served()
        self._assistant: CodeAssistant | None = None
        self.failure: Exception | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load in the background for as long as the application runs, so that it answers from the first moment."""
        self._limiter = anyio.CapacityLimiter(self._threads)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_loaded)
            yield
            tasks.cancel_scope.cancel()

    @property
    def assistant(self) -> CodeAssistant:
        """The assistant; raises the 503 problem that says why there is none yet."""
        if self._assistant is not None:
            return self._assistant
        if self.failure is not None:
            raise problem_of(self.failure)
        raise Problem(
            "not-ready",
            f"The model and the terminology are being loaded. Try again in {RETRY_SECONDS} seconds.",
            headers={"Retry-After": RETRY_SECONDS},
        )

    async def run(self, work: Callable[[], T], waits: bool = False) -> T:
        """Do ``work`` in a thread, first come first served, with at most ``threads`` at the same time.

        Raises the problem ``too-busy`` where too much waits already. Work that ``waits`` is never refused: what has
        begun and can't be begun again, such as the next line of a batch.
        """
        asked = time.perf_counter()

        def timed() -> tuple[T, float]:
            begin = time.perf_counter()
            self._observer("wait", asked, begin)
            return work(), time.perf_counter() - begin

        with self.places.taken(waits):
            done, seconds = await anyio.to_thread.run_sync(timed, limiter=self._limiter)
        self.places.took(seconds)
        return done

    async def _keep_loaded(self) -> None:
        loaded = self._stamp() if self._stamp else None  # before loading: a promotion meanwhile is seen afterwards
        await self._load_first()
        while self._stamp and self.failure is None:
            await anyio.sleep(WATCH_SECONDS)
            found = self._stamp()
            if found != loaded:
                loaded = found
                await self._exchange()

    async def _exchange(self) -> None:
        """Load beside the assistant that serves, then take its place. Requests under way end with the old one."""
        try:
            new = await anyio.to_thread.run_sync(self._load)
        except Exception as error:  # the release that serves goes on, whatever is wrong with the promoted one
            foreseen = isinstance(error, CodeassistError)
            log.error("the promoted release could not be loaded: %s", error, exc_info=None if foreseen else error)
            return
        self._serve(new)
        log.info("serving %s %s (%s)", new.model.name, new.model.version, new.model.sha256[:12])

    async def _load_first(self) -> None:
        try:
            self._serve(await anyio.to_thread.run_sync(self._load))
        except Exception as error:  # kept, and told to everyone who asks: the server has nothing else to do with it
            self.failure = error
            foreseen = isinstance(error, CodeassistError)
            log.error("the assistant could not be loaded: %s", error, exc_info=None if foreseen else error)
            self._on_failure()

    def _serve(self, assistant: CodeAssistant) -> None:
        assistant.observer = self._observer
        self._served.show(assistant.model, assistant.releases)
        self._assistant = assistant
        self.places.open()
