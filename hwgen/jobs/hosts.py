"""Tasks on the workers of a Dask scheduler, on other hosts or in a small cluster of our own.

Every host needs this very version of hwgen: a worker with other sources could give other results,
so it refuses, and says so. Anyone who reaches a Dask scheduler can run code on its workers: it
belongs in a network of friends.
"""

import hashlib
import importlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import CancelledError
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

from hwgen.errors import MissingToolError, WorkerError
from hwgen.jobs.processes import on_their_own
from hwgen.jobs.tasks import Results, Task, call, check_workers, task_text

PACKAGE = Path(__file__).parents[1]

SILENCE = logging.CRITICAL + 1
"""Dask calls it critical when work is abandoned; what matters comes as an exception."""

PATIENCE_S = 30
"""How long to wait for a cluster of our own, and for the first worker of any."""
ANSWER_S = 3
"""How long to wait for the scheduler at an address: one that lives answers at once."""


@cache
def sources_digest() -> str:
    """Return the sha256 over all sources of hwgen on this host."""
    sha = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        sha.update(f"{file.relative_to(PACKAGE).as_posix()}\n".encode())
        sha.update(file.read_bytes())
    return sha.hexdigest()


def call_here(function: str, task: str, sources: str) -> str:
    """Return the result of a task as JSON, if this host has the sources that were asked for."""
    if sources_digest() != sources:
        raise WorkerError(
            f"every Dask worker must have the same hwgen, got sources {sources[:12]} here and"
            f" {sources_digest()[:12]} there ({PACKAGE})"
        )
    return call(function, task)


def import_distributed() -> Any:
    """Return the package, imported late: a search on one machine does without."""
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"the package {error.name} is needed for this: pip install"
            " distributed, or hwgen with its extra [dse]"
        ) from None


class DaskExecutor:
    """Tasks on the Dask workers at an address, or on processes of a cluster on this machine.

    address: of a scheduler, such as `tcp://10.0.0.1:8786`; none for a cluster of our own, which
    talks on 127.0.0.1 only and has no dashboard
    workers: of the cluster of our own
    """

    def __init__(self, *, address: str | None = None, workers: int = 2) -> None:
        check_workers(workers)
        self._dask = import_distributed()
        self._address = address or "127.0.0.1"
        self._cluster: Any = None
        self._client: Any = None
        try:
            self._connect(address, workers)
        except BaseException:
            self.__exit__()
            raise

    def _connect(self, address: str | None, workers: int) -> None:
        """Reach a scheduler and the first of its workers."""
        try:
            if address is None:
                with on_their_own():
                    self._cluster = self._local_cluster(workers)
            where = address or self._cluster
            patience = PATIENCE_S if address is None else min(PATIENCE_S, ANSWER_S)
            self._client = self._dask.Client(where, timeout=patience, set_as_default=False)
            self._client.submit(sources_digest, pure=False).result(timeout=PATIENCE_S)
        except Exception as error:
            raise WorkerError(
                f"the Dask scheduler must be reachable, with workers that have hwgen, got"
                f" {type(error).__name__}: {' '.join(str(error).split())} ({self._address})"
            ) from None

    def _local_cluster(self, workers: int) -> Any:
        return self._dask.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            # Without a dashboard too, the scheduler has an HTTP server: at 8787, or with a
            # warning elsewhere when another search is there already.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,
            silence_logs=SILENCE,
        )

    @property
    def workers(self) -> int:
        return int(sum(self._client.nthreads().values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._client is not None:
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def run(self, function: str, tasks: Sequence[Task]) -> Results:
        """Give index and result of each task as it finishes; Dask repeats what a lost host had."""
        sources = sources_digest()
        submit = partial(self._client.submit, call_here, function, pure=False)
        futures: dict[Any, int] = {}
        try:
            for i, task in enumerate(tasks):
                futures[submit(task_text(task), sources)] = i
            for future in self._dask.as_completed(list(futures), loop=self._client.loop):
                text = future.result()
                yield futures.pop(future), json.loads(text)
        except self._dask.KilledWorker:
            raise WorkerError(
                f"the tasks of {function} must leave their Dask workers alive, got one in which"
                f" worker after worker died ({self._address})"
            ) from None
        except CancelledError:
            raise WorkerError(
                f"the Dask scheduler must stay until the tasks of {function} are done, got a lost"
                f" connection ({self._address})"
            ) from None
        finally:
            if futures:
                self._client.cancel(list(futures), force=True)
