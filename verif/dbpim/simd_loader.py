"""Loader of the bench of `simd`: TAPS and tables, and a reference of the stores that take them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import TABLE_BYTES, Operation
from hwgen.dbpim.facts.timing import TAP_SLOTS
from verif.coverage import Corners
from verif.dbpim.simd_jobs import Job, Taps

Actions = Mapping[str, int]
"""Inputs of one cycle, by name; a flag that is not named is 0."""

FLAGS = (
    *("taps__begin", "taps__parameters_write", "taps__write", "taps__push"),
    *("table__write", "table__push"),
)
CORNERS = (
    "TAPS wait for a slot",
    "TAPS of the next step while this one runs",
    "a table waits for the one in use",
)


class Stores:
    """Reference of both stores: counts of TAPS begun, pushed, walked, released; table in use."""

    def __init__(self) -> None:
        self.begun = self.pushed = self.walked = self.released = 0
        self.table = False

    def known(self, operation: int) -> bool:
        """Return what `taps_known` must be."""
        match operation:
            case Operation.DEPTHWISE:
                return self.walked < self.pushed
            case Operation.TABLE:
                return self.table
        return True

    @property
    def room(self) -> bool:
        """Whether TAPS may begin."""
        return self.begun - self.released < TAP_SLOTS


class Loader:
    """Loads the packets of all jobs in their order, as soon as there is space.

    running: the job that runs
    """

    def __init__(self, arch: Arch, jobs: Sequence[Job], stores: Stores, corners: Corners) -> None:
        self._arch, self._jobs, self._stores, self._corners = arch, jobs, stores, corners
        self.running: Job | None = None

    def actions(self) -> Iterator[Actions]:
        """Act as the loader: yield what it drives in each cycle, packet after packet."""
        for job in self._jobs:
            for packet in job.packets:
                self._corners.hit(
                    "TAPS of the next step while this one runs", self.running is not job
                )
                yield from self._taps(packet) if isinstance(packet, Taps) else self._table(packet)
        while True:
            yield {}

    def _taps(self, taps: Taps) -> Iterator[Actions]:
        """Load one packet of TAPS."""
        while not self._stores.room:
            self._corners.hit("TAPS wait for a slot")
            yield {}
        yield {"taps__begin": 1}
        for index, entry in enumerate(taps.parameters):
            yield {
                "taps__parameters_write": 1,
                "taps__parameters_index": index,
                "taps__parameters_data": entry,
            }
        for index, weights in enumerate(taps.weights):
            word = int.from_bytes(weights.tobytes(), "little")
            last = {"taps__push": 1} if index == len(taps.weights) - 1 else {}
            yield {"taps__write": 1, "taps__index": index, "taps__data": word, **last}

    def _table(self, table: np.ndarray) -> Iterator[Actions]:
        """Load a table."""
        while self._stores.table:
            self._corners.hit("a table waits for the one in use")
            yield {}
        size = self._arch.port_bytes
        for first in range(0, TABLE_BYTES, size):
            beat = int.from_bytes(table[first : first + size].tobytes(), "little")
            last = {"table__push": 1} if first + size == TABLE_BYTES else {}
            yield {"table__write": 1, "table__index": first, "table__data": beat, **last}
