"""The assistant of this process: loaded once, beside the event loop, and used in threads of its own."""

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
log = logging.getLogger("codeassist.api")


class Engine:
    """Holds the assistant once it is loaded, or the reason why it could not be.

    Parameters
    ----------
    load : what makes the assistant, such as :func:`codeassist.load`
    threads : how many notes may be read at the same time
    on_failure : called when loading failed, so that the command can stop the server
    """

    def __init__(self, load: Callable[[], CodeAssistant], threads: int, on_failure: Callable[[], None]) -> None:
        self._load = load
        self._threads = threads
        self._on_failure = on_failure
        self._assistant: CodeAssistant | None = None
        self.failure: Exception | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load in the background for as long as the application runs, so that it answers from the first moment."""
        self._limiter = anyio.CapacityLimiter(self._threads)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._load_once)
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

    async def _load_once(self) -> None:
        try:
            self._assistant = await anyio.to_thread.run_sync(self._load)
        except Exception as error:  # kept, and told to everyone who asks: the server has nothing else to do with it
            self.failure = error
            foreseen = isinstance(error, CodeassistError)
            log.error("the assistant could not be loaded: %s", error, exc_info=None if foreseen else error)
            self._on_failure()
