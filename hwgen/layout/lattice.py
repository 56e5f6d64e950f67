"""The lattice of a placed netlist: tracks, what rails, straps and cells block, and ways to pins.

Tests: `tests/layout/test_layout.py`.
"""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwgen.layout.mapping import ports_of
from hwgen.layout.placement import Floor
from hwgen.layout.search import ALONG, DENSE, DOWN, Grid
from hwgen.layout.technology import Pad, Shape, Technology
from hwgen.physical.netlist import Net

MARGIN = (6, 8)
"""Tracks around the rows, in x and y."""
FIRST_METAL = 1.3
"""Cost of a step on the metal of pins; 1 elsewhere."""
NEAR, STRAIGHT = 245, 15
"""How far a track may be from a pin, and when it is at the pin, in nm."""
COVERED, AS_CUT = 445, 408
"""So near a wire, or the pad of a cut, is too near to the pad of a pin."""
CLASHES = ((0, 430), (1, 377), (-1, 377))
"""Rows away, and how near in x two pads are too near."""

Rectangle = tuple[int, int, int, int]
"""Left, lower, right and upper edge in nm."""


@dataclass
class Lattice:
    """The tracks over a placed netlist, from the lower left corner of the die; nm.

    fixed: layer and rectangle of rails, straps and their cuts; straps: net and x of each
    ends: terminals of each net; terminals: gate and pin, or nothing and a port
    pads: x and y of accesses, and whether the pin is below the first metal; owners: nets of pads
    """

    technology: Technology
    floor: Floor
    shapes: Mapping[str, Shape]
    fixed: list[tuple[tuple[int, int], Rectangle]] = field(default_factory=list)
    straps: list[tuple[int, int]] = field(default_factory=list)
    ends: dict[Net, list[int]] = field(default_factory=dict)
    terminals: list[tuple[str, str]] = field(default_factory=list)
    pads: list[tuple[int, int, bool]] = field(default_factory=list)
    owners: list[Net] = field(default_factory=list)
    port_places: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        technology, floor = self.technology, self.floor
        self.pitch_x, self.pitch_y = technology.pitch
        self.left, self.low = MARGIN[0] * self.pitch_x, MARGIN[1] * self.pitch_y
        self.columns = floor.columns + 2 * MARGIN[0]
        self.rows = floor.rows * technology.row // self.pitch_y + 2 * MARGIN[1]
        self.width, self.height = self.columns * self.pitch_x, self.rows * self.pitch_y
        layers = len(technology.metals)
        self.blocked = np.zeros((layers, self.rows, self.columns), np.uint8)
        self.no_cut = np.zeros((layers - 1, self.rows, self.columns), np.uint8)
        self._x = self.pitch_x // 2 + self.pitch_x * np.arange(self.columns)
        self._y = self.pitch_y // 2 + self.pitch_y * np.arange(self.rows)
        self._access: list[tuple[int, ...]] = []
        self._starts = [0]
        self._tracks()
        self._power()
        self._cells()
        self._ends()

    def at(self, place: int) -> tuple[int, int]:
        """Return x and y of a place of the lattice."""
        row, column = divmod(place, self.columns)
        return int(self._x[column]), int(self._y[row])

    def _tracks(self) -> None:
        """Block every other track of wide metals, and cuts that would not be on two tracks."""
        for number, metal in enumerate(self.technology.metals):
            if metal.every == 1:
                continue
            for part in (self.blocked[number : number + 1], self.no_cut[max(0, number - 1) :][:2]):
                if metal.across:
                    part[:, 0::2, :] = 1
                else:
                    part[:, :, 0::2] = 1

    def _block(self, layer: int, left: int, low: int, right: int, high: int) -> None:
        """Block nodes and cuts that metal of a layer is too near to."""

        def span(axis: "np.ndarray[tuple[int], np.dtype[np.int_]]", a: float, b: float) -> slice:
            return slice(int(np.searchsorted(axis, a, "right")), int(np.searchsorted(axis, b)))

        metal = self.technology.metals[layer]
        reach = metal.width / 2 + metal.space
        rows, columns = (
            span(self._y, low - reach, high + reach),
            span(self._x, left - reach, right + reach),
        )
        self.blocked[layer, rows, columns] = 1
        for number, cut in enumerate(self.technology.cuts):
            for pad, on in ((cut.below, number), (cut.above, number + 1)):
                if on == layer:
                    x, y = pad[0] / 2 + metal.space, pad[1] / 2 + metal.space
                    self.no_cut[
                        number, span(self._y, low - y, high + y), span(self._x, left - x, right + x)
                    ] = 1

    def _metal(self, gds: Sequence[int], box: Rectangle) -> None:
        """Draw metal that is fixed, and keep wires away from it."""
        layer = (gds[0], gds[1])
        self.fixed.append((layer, box))
        for number, metal in enumerate(self.technology.metals):
            if tuple(metal.gds) == layer:
                self._block(number, *box)

    def _power(self) -> None:
        """Draw the rails between rows, and straps over them with cuts down to their rails."""
        technology, straps = self.technology, self.technology.straps
        right = self.left + self.floor.columns * self.pitch_x
        rails = [self.low + row * technology.row for row in range(self.floor.rows + 1)]
        half = technology.rail.half
        for y in rails:
            self._metal(technology.rail.gds, (self.left, y - half, right, y + half))
        count = max(1, round((right - self.left) / straps.every))
        for number in range(count):
            for net in (0, 1):
                x = self.left + (number + 0.5) * (right - self.left) / count
                middle = round((x + (net - 0.5) * straps.gap) / 10) * 10
                self.straps.append((net, middle))
                edge = straps.width // 2
                box = (middle - edge, rails[0] - half, middle + edge, rails[-1] + half)
                self._metal(technology.metals[-1].gds, box)
                for y in rails[net::2]:
                    self._tower(middle, y, straps.pads)

    def _tower(self, x: int, y: int, pads: Sequence[Pad]) -> None:
        """Draw the cuts and pads from a rail to its strap."""
        for row in self.technology.straps.cuts:
            for number in range(row.count):
                left, low = x + row.first + row.step * number, y - row.size // 2
                box = (left, low, left + row.size, low + row.size)
                self.fixed.append(((row.gds[0], row.gds[1]), box))
        for pad in pads:
            across, up = pad.half
            self._metal(pad.gds, (x - across, y - up, x + across, y + up))

    def inside(self, column: int, row: int, x: int, y: int) -> tuple[int, int]:
        """Return a point of a cell on the die: cells of odd rows are mirrored."""
        up = self.technology.row - y if row % 2 else y
        return self.left + column * self.pitch_x + x, self.low + row * self.technology.row + up

    def _cells(self) -> None:
        """Keep wires away from the metal within cells."""
        names = [metal.name for metal in self.technology.metals]
        for cell in self.floor.cells:
            for name, left, low, right, high in self.shapes[cell.kind].blocked:
                one = self.inside(cell.column, cell.row, left, low)
                two = self.inside(cell.column, cell.row, right, high)
                ys = sorted((one[1], two[1]))
                self._block(names.index(name), one[0], ys[0], two[0], ys[1])

    def _ends(self) -> None:
        """Find the ways to each pin and port."""
        gates = zip(self.floor.netlist.gates, self.floor.cells, strict=False)
        first = self.technology.metals[0].name
        for gate, cell in gates:
            for pin, net in gate.pins.items():
                for access in self.shapes[gate.cell].pins[pin]:
                    x, y = self.inside(cell.column, cell.row, access.x, access.y)
                    below = access.layer != first
                    self.pads.append((x, y, below))
                    self.owners.append(net)
                    self._access += self._ways(x, y)
                    if not below:  # the pin itself is metal of the first layer, which blocks it
                        node = self._access[-1][0]
                        self.blocked.reshape(-1)[node] = self.no_cut.reshape(-1)[node] = 0
                self._end(net, gate.name, pin)
        for port in ports_of(self.floor.netlist):
            column, up = self.floor.ports[port.name]
            place = (self.rows - 1 if up else 0) * self.columns + column + MARGIN[0]
            self.port_places[port.name] = (place, up)
            node = self.technology.pin.metal * self.columns * self.rows + place
            self._access.append((node, 0, -1, 0, -1, -1, 0))
            self._end(port.net, "", port.name)

    def _end(self, net: Net, gate: str, pin: str) -> None:
        """Note an end of a net, whose accesses are the last ones."""
        self.ends.setdefault(net, []).append(len(self.terminals))
        self.terminals.append((gate, pin))
        self._starts.append(len(self._access))

    def _ways(self, x: int, y: int) -> Iterator[tuple[int, ...]]:
        """Yield the accesses from a point of a pin to the tracks beside it; see `Grid.access`."""
        row, off = divmod(y - self.pitch_y // 2, self.pitch_y)
        assert off == 0, "pins are on tracks in y"
        first = (x - self.pitch_x // 2) // self.pitch_x
        gaps = {column: abs(int(self._x[column]) - x) for column in range(first - 1, first + 3)}
        near = [column for column in (first, first + 1) if gaps[column] <= NEAR]
        straight = [column for column in near if gaps[column] <= STRAIGHT]
        covered = [column for column, gap in gaps.items() if gap < COVERED]
        as_cut = [column for column, gap in gaps.items() if gap < AS_CUT]
        base = row * self.columns
        for column in straight or near:
            spans = (covered[0], covered[-1], as_cut[0], as_cut[-1])
            ends = (base + each for each in spans)
            yield (base + column, *ends, len(self.pads) - 1, gaps[column])

    def clashes(self) -> list[list[int]]:
        """Return for each pad those of other nets that cannot be there with it."""
        by_row: dict[int, list[tuple[int, int]]] = {}
        for number, (x, y, _) in enumerate(self.pads):
            by_row.setdefault(y, []).append((x, number))
        for row in by_row.values():
            row.sort()
        found: list[list[int]] = []
        for number, (x, y, _) in enumerate(self.pads):
            excluded = []
            for rows, near in CLASHES:
                row = by_row.get(y + rows * self.pitch_y, [])
                start = bisect.bisect_right(row, (x - near, len(self.pads)))
                stop = bisect.bisect_left(row, (x + near, -1))
                excluded += [
                    other
                    for _, other in row[start:stop]
                    if self.owners[other] != self.owners[number]
                ]
            found.append(excluded)
        return found

    def grid(self) -> Grid:
        """Return the lattice as compiled code takes it."""
        metals, clashes = self.technology.metals, self.clashes()
        ways = [
            (DENSE if number == 0 else ALONG) if metal.across else DOWN
            for number, metal in enumerate(metals)
        ]
        costs = [FIRST_METAL] + [1.0] * (len(metals) - 1)
        return Grid(
            columns=self.columns,
            rows=self.rows,
            layers=len(metals),
            ways=np.array(ways, np.int32),
            costs=np.array(costs, np.float32),
            blocked=self.blocked.reshape(-1),
            no_cut=self.no_cut.reshape(-1),
            access=np.array(self._access, np.int32).reshape(-1, 7),
            starts=np.array(self._starts, np.int32),
            clash_starts=np.cumsum([0, *map(len, clashes)]).astype(np.int32),
            clashes=np.array([each for held in clashes for each in held] or [0], np.int32),
        )
