"""Waits and asks again when the service is busy or starting."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import httpx

from codeassist_client.errors import NotReachable

BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent at most, and the seconds to wait: as ``Retry-After`` says, else ``pause``, doubled
    each time; never more than ``longest``."""

    attempts: int = 5
    pause: float = 0.5
    longest: float = 30.0

    def send(self, client: httpx.Client, request: httpx.Request, safe: bool) -> httpx.Response:
        """The answer: the last one, when none is better. ``safe`` requests are sent again too when none came.

        Raises :class:`NotReachable` when none came.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                response = client.send(request)
            except httpx.TransportError as error:
                unsent = isinstance(error, httpx.ConnectError)
                if attempt == self.attempts or not (safe or unsent):
                    raise NotReachable(0, {"code": "not-reachable", "detail": str(error)}) from error
                time.sleep(self._wait(attempt, None))
                continue
            if response.status_code not in BUSY or attempt == self.attempts:
                break
            time.sleep(self._wait(attempt, response.headers.get("retry-after")))
        return response

    def _wait(self, attempt: int, told: str | None) -> float:
        if told is not None and told.isascii() and told.isdigit():
            return min(float(told), self.longest)
        return min(self.pause * 2.0 ** (attempt - 1), self.longest) * random.uniform(0.5, 1.0)
