"""Many notes on a Dask cluster: the driver, which plans partitions, hands them out and joins their results.

``distributed`` is imported here alone, and only when a run begins. The tasks are in
:mod:`codeassist.batch.partitions`; a task whose worker is lost is done again by another, as Dask does.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any

from codeassist.batch.journal import fingerprint, new_run, require_same
from codeassist.batch.partitions import (
    PART,
    Job,
    Part,
    Partition,
    check_worker,
    code_partition,
    count_lines,
    file_system,
)
from codeassist.batch.pin import assistant_of, pin_of
from codeassist.batch.rows import is_parquet, open_parquet, row_groups
from codeassist.errors import ClusterError, InputError
from codeassist.registry import chosen_release

SECONDS_TO_CONNECT = 30
_RUN = "run.json"
_AHEAD = 4
"""Tasks a thread of the cluster that are handed out at once: the scheduler holds few, whatever the input's size."""
_COUNTED = 16
"""Partitions whose lines one task counts."""
_PIECE = 1 << 20


def run_on_cluster(
    source: str,
    target: str,
    scheduler: str,
    model: Path | None = None,
    partition_bytes: int = 4_000_000,
    restart: bool = False,
    advance: Callable[[int, int, int | None], None] = lambda notes, position, end: None,
) -> list[Part]:
    """Code ``source`` into ``target`` on the cluster of ``scheduler``, and return what was done by partition.

    The parts are written beside ``target`` and joined into it at the end; where it is a folder (it is there, or its
    name ends with ``/``) they stay there. A run that was not finished goes on with the parts that are missing.
    Raises :class:`InputError` and :class:`ClusterError` that say what to do.
    """
    if "-" in (source, target):
        raise InputError("a cluster reads and writes files: standard input and output are of one machine")
    files, path = file_system(source)
    if not files.exists(path) or files.isdir(path):
        raise InputError(f"there is no file {source}")
    out, out_path = file_system(target)
    kept = target.endswith("/") or out.isdir(out_path)
    folder = out_path if kept else f"{out_path}.parts"
    chosen, sha256 = (model.resolve(), None) if model else chosen_release()
    pin = pin_of(assistant_of(chosen, sha256))
    run = new_run(_fingerprint(files, path), pin, partition_bytes=None if is_parquet(source) else partition_bytes)
    _begin(out, folder, run, restart)
    job = Job(
        files.unstrip_protocol(path),
        out.unstrip_protocol(folder),
        files.size(path),
        str(chosen) if model else None,
        pin,
        run["day"],
    )
    with _connected(scheduler) as client:
        _require_workers(client, job)
        partitions = _planned(client, job, files, path, partition_bytes)
        names = [_base(job.part(partition)) for partition in partitions]
        parts: dict[int, Part] = {}
        notes = 0
        for number, part in _each(client, code_partition, job, partitions, names):
            parts[number] = part
            notes += part.notes
            advance(notes, len(parts), len(partitions))
    if _fingerprint(files, path) != run["source"]:
        raise InputError("the input has changed during the run: begin anew with --restart")
    done = [parts[i] for i in range(len(partitions))]
    if kept:
        _sweep(out, folder, set(names))
        listed = [{"name": name, "notes": part.notes} for name, part in zip(names, done, strict=True)]
        out.pipe(f"{folder}/{_RUN}", json.dumps({"run": run, "parts": listed}, indent=1).encode())
    else:
        _join(out, job, names, out_path)
        out.rm(f"{folder}/{_RUN}")
        _sweep(out, folder, set())
        _remove_if_empty(out, folder)
    return done


def _remove_if_empty(out: Any, folder: str) -> None:
    with suppress(OSError):  # not empty, or an object store, which has no folders
        out.rmdir(folder)


def _base(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def _fingerprint(files: Any, path: str) -> dict[str, Any]:
    info = files.info(path)
    modified = next((str(info[k]) for k in ("ETag", "etag", "mtime", "LastModified", "updated") if k in info), "")
    with files.open(path, "rb") as file:
        return fingerprint(file, info["size"], modified)


def _begin(out: Any, folder: str, run: dict[str, Any], restart: bool) -> None:
    """The folder of parts with its record of the run; parts of this run that are there stay."""
    record = f"{folder}/{_RUN}"
    try:
        out.makedirs(folder, exist_ok=True)
        if out.exists(record) and not restart:
            try:
                found = json.loads(out.cat_file(record))["run"]
                day = str(found["day"])
            except (ValueError, KeyError, TypeError):
                raise InputError(f"{record} is damaged: begin anew with --restart") from None
            require_same(found, run, record)
            run["day"] = day
            return
        _sweep(out, folder, set())
        out.pipe(record, json.dumps({"run": run}).encode())
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror or error}") from None


def _sweep(out: Any, folder: str, keep: set[str]) -> None:
    """Remove parts, and what killed workers left of them; nothing else that is in the folder."""
    for path in out.ls(folder, detail=False):
        if PART.fullmatch(_base(path)) and _base(path) not in keep:
            out.rm(path)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError:
        raise InputError("--scheduler needs the extra 'cluster': pip install 'codeassist[cluster]'") from None


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"there is no scheduler at {scheduler}: {error}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        except TimeoutError:
            raise ClusterError(f"the scheduler at {scheduler} has no worker: start some with `dask worker`") from None
        yield client
    finally:
        client.close()


def _require_workers(client: Any, job: Job) -> None:
    """Raise :class:`ClusterError` that names the workers that can't take part."""
    answers: Mapping[str, object] = client.run(check_worker, job.model, job.pin, on_error="return")
    wrong = [f"{address}: {answer}" for address, answer in sorted(answers.items()) if answer is not None]
    if wrong:
        raise ClusterError(
            f"{len(wrong)} of {len(answers)} workers can't take part; give them this machine's release, terminology "
            f"and settings, or end them ({' · '.join(wrong[:5])})"
        )


def _planned(client: Any, job: Job, files: Any, path: str, partition_bytes: int) -> list[Partition]:
    """Row groups of Parquet; of JSON Lines ranges of bytes, whose lines the workers count, so that an error record
    tells the line's number in the whole input."""
    if is_parquet(job.source):
        with files.open(path, "rb") as file:
            sizes = row_groups(open_parquet(file, _base(path)))
        before = accumulate(sizes, initial=0)
        return [Partition(i, i, i + 1, first) for i, first in zip(range(len(sizes)), before, strict=False)]
    ranges = [(a, min(a + partition_bytes, job.size)) for a in range(0, job.size, partition_bytes)]
    groups = [ranges[i : i + _COUNTED] for i in range(0, len(ranges), _COUNTED)]
    counted = dict(_each(client, count_lines, job, groups, [f"count-{i}" for i in range(len(groups))]))
    lines = [count for i in range(len(groups)) for count in counted[i]]
    before = accumulate(lines, initial=1)
    return [Partition(i, a, b, first) for i, ((a, b), first) in enumerate(zip(ranges, before, strict=False))]


def _each(
    client: Any, task: Callable[[Job, Any], Any], job: Job, items: Sequence[Any], keys: Sequence[str]
) -> Iterator[tuple[int, Any]]:
    """Results of ``task(job, item)`` with the number of the item, as they come; a few for each thread are under way.

    Raises what a task raises, and :class:`ClusterError` where the cluster gives up.
    """
    distributed = _distributed()
    run = uuid.uuid4().hex[:8]  # what another driver computes is not waited for
    numbers: dict[str, int] = {}

    def more(room: int) -> list[Any]:
        started = range(len(numbers), min(len(numbers) + room, len(items)))
        futures = []
        for i in started:
            key = f"{keys[i]}-{run}"
            numbers[key] = i
            futures.append(client.submit(task, job, items[i], key=key, pure=False))
        return futures

    under_way = distributed.as_completed(more(_room(client)), loop=client.loop)
    done = 0
    try:
        for future in under_way:
            result = future.result()
            done += 1
            yield numbers[future.key], result
            for added in more(_room(client) - (len(numbers) - done)):
                under_way.add(added)
    except distributed.KilledWorker as error:
        raise ClusterError(
            f"{error.task} ended several workers, perhaps for want of memory: give them more; then start again"
        ) from None
    except distributed.CancelledError:
        raise ClusterError("the scheduler was lost: start it, and this command, again; what is done stays") from None
    if done < len(items):
        raise ClusterError("the scheduler was lost: start it, and this command, again; what is done stays")


def _room(client: Any) -> int:
    threads: dict[str, int] = client.nthreads()
    return _AHEAD * max(1, sum(threads.values()))


def _join(out: Any, job: Job, names: Sequence[str], target: str) -> None:
    """The parts in their order as one file, which is moved to its place when it is whole."""
    aside = f"{target}.joining"
    _, folder = file_system(job.folder)
    with out.open(aside, "wb") as whole:
        for name in names:
            with out.open(f"{folder}/{name}", "rb") as part:
                shutil.copyfileobj(part, whole, _PIECE)
    out.mv(aside, target)
