"""Static timing of one module from the tables of its library, as a model that its parents use.

Delays of gates follow from slews and loads; slews are the worst that arrive at a net. Three walks
over the same graph give the model: from registers to endpoints, from each input to all outputs,
and from each input to endpoints. Where modules meet, a signal has one delay for both edges, a
usual slew, and a load that is corrected in the parent by the resistance of the driver.

Assumed: clocks are ideal, before and behind clock gates; wires have neither capacitance nor delay;
a memory is a macro whose read takes `memory_ns`; its inputs need no setup time.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.physical.cells import Library

VERSION = 2
"""Of what this module computes; a cached model of another version is computed again."""
NEVER = -1e9
"""Of a way that does not exist, in ns; whatever is added to it."""
MOST_PATHS = 24
"""Paths of a module that are kept, each from another register or to another one."""
MOST_TRACED = 2000
"""Endpoints that are traced in search of them."""
EXACT = 20_000
"""Arcs between two ports that are kept one by one."""

Node = int
"""Twice a net for its rising edge, plus one for its falling edge; above all nets inner nodes."""


@dataclass(frozen=True)
class Place:
    """A register or memory where a path begins or ends, and the modules on the way to it."""

    register: str
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Path:
    """A path from register to register, in ns, and the modules that it runs through."""

    ns: float
    start: str
    end: str
    through: tuple[str, ...]


@dataclass(frozen=True)
class Arcs:
    """Delays from one input port to one output port.

    exact: (input bit, output bit, ns); else `before` of each input bit plus `behind` of each output
    bit, which is no less than the delay between any two bits
    """

    source: str
    target: str
    through: tuple[str, ...]
    exact: Sequence[tuple[int, int, float]] = ()
    before: Sequence[float] = ()
    behind: Sequence[float] = ()


@dataclass(frozen=True)
class InputPort:
    """Of each bit: capacitance, ns from it to the worst endpoint (NEVER: none), that endpoint.

    readers: inputs of gates that read it
    """

    capacitance: Sequence[float]
    capture: Sequence[float]
    ends: Sequence[Place | None]
    readers: Sequence[int]


@dataclass(frozen=True)
class OutputPort:
    """Of each bit: ns from the clock edge (NEVER: none), its register, slew, ns a pF of load."""

    launch: Sequence[float]
    starts: Sequence[Place | None]
    slew: Sequence[float]
    resistance: Sequence[float]


@dataclass(frozen=True)
class TimingModel:
    """What a parent must know of a module, and its own slowest paths."""

    module: str
    inputs: Mapping[str, InputPort]
    outputs: Mapping[str, OutputPort]
    arcs: Sequence[Arcs]
    paths: Sequence[Path]

    @property
    def readers(self) -> Mapping[str, Sequence[int]]:
        """By input port the inputs that read each bit."""
        return {name: port.readers for name, port in self.inputs.items()}


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """What modules assume of each other, from the buffer of trees.

    slew: of a buffer that drives four; load: of four buffers; delay: of that buffer
    """

    slew: float
    load: float
    delay: float


def boundary_of(library: Library) -> Boundary:
    """Return slew, load and delay of a buffer that drives four of its kind, each driven alike."""
    cell = library.cells[library.buffer]
    load = 4 * cell.pins[cell.inputs[0]].capacitance
    arc = cell.pins[cell.outputs[0]].arcs[0]
    slew = delay = 0.0
    if arc.rise and arc.rise_slew:
        for _ in range(8):
            delay, slew = arc.rise.at(slew, load), arc.rise_slew.at(slew, load)
    return Boundary(slew=slew, load=load, delay=delay)


def memory_ns(words: int, boundary: Boundary) -> float:
    """Return the time of a read: 0.25 + 0.06 log2(words) ns in 45 nm, scaled with a buffer."""
    return boundary.delay / BUFFER_45NM * (0.25 + 0.06 * math.log2(max(words, 2)))


BUFFER_45NM = 0.02857
"""Delay of such a buffer in 45 nm, in ns."""
