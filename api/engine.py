"""The assistant of this process: loaded beside the event loop, used in threads of its own, and exchanged when another
release is promoted."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from api.errors import Problem, problem_of
from codeassist.errors import CodeassistError

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
    on_failure : called when loading failed, so that the command can stop the server
    stamp : changes when ``load`` would give another release; without it the first one stays
    """

    def __init__(
        self,
        load: Callable[[], CodeAssistant],
        threads: int,
        on_failure: Callable[[], None],
        stamp: Callable[[], object] | None = None,
    ) -> None:
        self._load = load
        self._threads = threads
        self._on_failure = on_failure
        self._stamp = stamp
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

    async def run(self, work: Callable[[], T]) -> T:
        """Do ``work`` in a thread, with at most ``threads`` at the same time."""
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

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
        self._assistant = new
        log.info("serving %s %s (%s)", new.model.name, new.model.version, new.model.sha256[:12])

    async def _load_first(self) -> None:
        try:
            self._assistant = await anyio.to_thread.run_sync(self._load)
        except Exception as error:  # kept, and told to everyone who asks: the server has nothing else to do with it
            self.failure = error
            foreseen = isinstance(error, CodeassistError)
            log.error("the assistant could not be loaded: %s", error, exc_info=None if foreseen else error)
            self._on_failure()
