"""Processes that tests let race or kill."""

from __future__ import annotations

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
"""Each is forked from a server that has everything imported and no thread: forked from a test run in which any thread
is just then in SQLite or PostgreSQL's library, a process would wait for that thread's lock without end."""
PROCESSES.set_forkserver_preload(["api.app"])
