"""A cut whose pieces answer as the runtime does: what is seen to differ goes to the host.

Tests: `tests/plan/test_cut.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from golden import network as golden
from hwgen.importers.integer.lower import Lowered
from hwgen.network import QuantizedNetwork
from hwgen.plan.file import Place, PlanTensor
from hwgen.plan.pieces import PieceRefusedError, Search, in_steps
from hwgen.plan.target import Target
from hwgen.plan.units import TensorFacts, Tensors, UnitGraph, Units

MOST_ROUNDS = 40
"""Times that pieces are made anew after one was seen to differ."""
DIFFERS = "the chip would answer otherwise than the runtime"
ANNOUNCED = "is not exact by what the import says"


class Placed(Protocol):
    """What has its borders in images and maps of layers: a piece, or a step of a plan."""

    @property
    def batch(self) -> int: ...
    @property
    def image(self) -> tuple[Place, ...]: ...
    @property
    def maps(self) -> tuple[Place, ...]: ...


class Piece(Placed, Protocol):
    """A piece on the chip, see `hwgen.plan.onnx_pieces.ChipPiece`."""

    @property
    def lowered(self) -> Lowered: ...


class Host(Protocol):
    """Units that a runtime computes."""

    def run(self, tensors: Mapping[str, Any]) -> Tensors: ...


class CutFile(Protocol):
    """A file of any format that is cut."""

    @property
    def units(self) -> UnitGraph: ...
    def piece(self, units: Units, target: Target, *, compiled: bool) -> Piece: ...
    def together(self, borders: tuple[str, ...]) -> bool:
        """Return whether borders can be one image."""

    def host(self, units: Units) -> Host: ...
    def announced(self, pieces: Sequence[Piece]) -> set[int]:
        """Return the units that are not exact by what an import says."""


class PlannedFile(CutFile, Protocol):
    """A file of which a plan is made."""

    @property
    def kind(self) -> Literal["ONNX", "TFLite"]: ...
    @property
    def source(self) -> str: ...
    def host_file(self, units: Units, name: str) -> tuple[bytes, tuple[str, ...]]:
        """Return the file of units on the host, and the borders that are real numbers in it."""

    def tensors(self, names: Sequence[str]) -> tuple[PlanTensor, ...]:
        """Return tensors as a plan has them."""

    def answers(self, feeds: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Return what the whole file answers as its user runs it, a call each."""


def images_of(placed: Placed, network: QuantizedNetwork, tensors: Mapping[str, Any]) -> Any:
    """Return the images of a call of a piece: (batch, rows, columns, channels)."""
    image = network.graph.input
    images = np.zeros((placed.batch, *image.shape), np.int64)
    for each in placed.image:
        each.put(tensors[each.tensor], images)
    return images.astype(image.dtype)


def played(
    placed: Placed,
    network: QuantizedNetwork,
    facts: Mapping[str, TensorFacts | PlanTensor],
    tensors: Mapping[str, Any],
) -> Tensors:
    """Return what a piece writes by golden, as the file stores it; facts: of its borders."""
    images = images_of(placed, network, tensors)
    maps = golden.infer(network, images, keep={each.layer for each in placed.maps})
    return {
        each.tensor: each.taken(maps[each.layer], facts[each.tensor].sides).astype(
            facts[each.tensor].type
        )
        for each in placed.maps
    }


@dataclass(kw_only=True)
class Cut:
    """Cuts a file for a chip.

    feeds: inputs of the file by name, a mapping a call, by which pieces are judged; none: nothing
        is judged
    strict: what is announced as not exact goes to the host, too
    differ: what differs stays on the chip
    say: is told what is done
    """

    file: CutFile
    target: Target
    feeds: Sequence[Mapping[str, Any]]
    strict: bool = False
    differ: bool = False
    say: Callable[[str], None] = lambda _: None
    host: dict[int, str] = field(default_factory=dict)
    pieces: dict[Units, Piece] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    _hosts: dict[Units, Host] = field(default_factory=dict)
    _parts: dict[Units, Piece | None] = field(default_factory=dict)

    @property
    def graph(self) -> UnitGraph:
        """The units of the file."""
        return self.file.units

    def run(self) -> list[Units]:
        """Return the pieces on the chip; `host` has the reasons of the others."""
        apart: dict[int, str] = {}
        for _ in range(MOST_ROUNDS):
            kept = self._search(apart)
            found = dict.fromkeys(self._differing(kept), DIFFERS)
            if self.differ or not self.target.is_exact:
                break
            if self.strict:
                told = self.file.announced([self.pieces[units] for units in kept])
                on_chip = {unit for units in kept for unit in units}
                found = dict.fromkeys(told & on_chip, ANNOUNCED) | found
            if not found:
                break
            apart |= found
        return kept

    def _search(self, apart: Mapping[int, str]) -> list[Units]:
        """Return the pieces where some units are on the host."""
        self.host = self.graph.staying() | dict(apart)
        search = Search(
            graph=self.graph,
            attempt=self._attempt,
            together=self.file.together,
            host=self.host,
            taken=set(self.pieces),
        )
        return search.pieces()

    def _attempt(self, units: Units) -> None:
        """Make a piece; see `Search`."""
        self.say(f"a piece of {len(units)} units")
        self.pieces[units] = self.file.piece(units, self.target, compiled=True)

    def host_of(self, units: Units) -> Host:
        """Return units in their runtime."""
        if units not in self._hosts:
            self._hosts[units] = self.file.host(units)
        return self._hosts[units]

    def calls(self, kept: Sequence[Units]) -> list[Tensors]:
        """Return the tensors between steps in each call, all by the runtime."""
        found = []
        for feed in self.feeds:
            tensors = dict(feed)
            for _, units in in_steps(self.graph, kept):
                tensors |= self.host_of(units).run(tensors)
            found.append(tensors)
        return found

    def _differing(self, kept: Sequence[Units]) -> set[int]:
        """Return the first unit of each piece whose integers are not the runtime's."""
        if not self.feeds or not kept:
            return set()
        self.say("pieces are held against the runtime")
        calls, found = self.calls(kept), set()
        for units in kept:
            largest = max(self._largest(self.pieces[units], units, call) for call in calls)
            self.steps[str(units)] = largest
            if largest and self.target.is_exact:
                found |= self._first(units, calls)
        return found

    def _largest(self, piece: Piece, units: Units, call: Tensors) -> int:
        """Return the largest difference of an element of what a piece writes."""
        wanted, given = self.host_of(units).run(call), self._played(piece, call)
        return max(
            (
                int(np.abs(given[name].astype(np.int64) - wanted[name].astype(np.int64)).max())
                for name in given
                if given[name].size
            ),
            default=0,
        )

    def _played(self, piece: Piece, call: Tensors) -> Tensors:
        """Return what a piece writes by golden."""
        return played(piece, piece.lowered.network, self.graph.tensors, call)

    def _first(self, units: Units, calls: Sequence[Tensors]) -> set[int]:
        """Return the first unit that differs, by halving: what is in front of it is equal.

        Several where no piece ends between them.
        """
        right, wrong = 0, len(units)
        while wrong - right > 1:
            middle = (right + wrong) // 2
            while (differs := self._differs(units[:middle], calls)) is None and middle < wrong - 1:
                middle += 1
            if differs is None:
                break
            right, wrong = (right, middle) if differs else (middle, wrong)
        return set(units[right:wrong])

    def _differs(self, units: Units, calls: Sequence[Tensors]) -> bool | None:
        """Return whether the first units of a piece differ; None: they are no piece."""
        if units not in self._parts:
            try:
                part = self.pieces.get(units) or self.file.piece(units, self.target, compiled=False)
            except PieceRefusedError:
                part = None
            self._parts[units] = part
        part = self._parts[units]
        return None if part is None else any(self._largest(part, units, call) for call in calls)
