"""Constants of the parts of a crossbar accelerator, from a complete YAML file with sources."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.figures import Positive
from hwgen.errors import FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, load_spec

Bits = Annotated[int, Field(ge=1, le=64)]
Text = Annotated[str, Field(min_length=1)]

CLOCK_PARTS = 64
"""A clock is a whole number of such parts of a ns."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Powers:
    """Power of one part in W, its latency in ns and its area.

    static_w: always; dynamic_w: while it works; peak_w: what a budget must hold
    """

    static_w: Positive
    dynamic_w: Positive
    peak_w: Positive
    area_um2: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CrossbarSize(Powers):
    """One crossbar of side x side cells, of any cell resolution."""

    side: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def check(self) -> Self:
        """The side is a power of two: the rule of ADC resolution takes its logarithm."""
        if self.side & (self.side - 1):
            raise FieldError("crossbars.sizes.side", "a power of two", self.side)
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Crossbars:
    """latency_ns: of a read; cell_bits: bits a cell may hold, without effect on power."""

    source: Text
    latency_ns: Positive
    cell_bits: Annotated[tuple[Bits, ...], Field(min_length=1)]
    sizes: Annotated[tuple[CrossbarSize, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Adc(Powers):
    """One analog-to-digital converter."""

    bits: Bits
    samples_per_ns: Positive
    latency_ns: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Adcs:
    """A resolution that is not listed cannot be built."""

    source: Text
    resolutions: Annotated[tuple[Adc, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Dac(Powers):
    """One digital-to-analog converter, at one row of a crossbar."""

    bits: Bits
    latency_ns: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Dacs:
    """All resolutions that may be tried."""

    source: Text
    resolutions: Annotated[tuple[Dac, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class VectorUnit(Powers):
    """One digital unit; an operation handles `lanes` elements."""

    operations_per_ns: Positive
    latency_ns: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class VectorUnits:
    """The digital units of a macro, all `lanes` wide."""

    source: Text
    lanes: Annotated[int, Field(ge=1)]
    shift_add: VectorUnit
    addition: VectorUnit
    relu: VectorUnit
    sigmoid: VectorUnit
    pool: VectorUnit
    eltwise: VectorUnit


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Scratchpad:
    """One memory; latency and energy are of one access of the whole bus."""

    kilobytes: Annotated[int, Field(ge=1)]
    leakage_w: Positive
    latency_ns: Positive
    read_nj: Positive
    write_nj: Positive
    area_um2: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Scratchpads:
    """One scratchpad a macro, all of one capacity.

    published_from_kilobytes: the smallest that published rules choose
    """

    source: Text
    bus_bits: Annotated[int, Field(ge=1)]
    published_from_kilobytes: Annotated[int, Field(ge=1)]
    capacities: Annotated[tuple[Scratchpad, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Capacities are powers of two, each the double of the one before."""
        sizes = [each.kilobytes for each in self.capacities]
        wanted = [sizes[0] << place for place in range(len(sizes))]
        if sizes != wanted or sizes[0] & (sizes[0] - 1):
            raise FieldError("scratchpads.capacities", "powers of two, each twice the last", sizes)
        if self.published_from_kilobytes > sizes[-1]:
            field = "scratchpads.published_from_kilobytes"
            raise FieldError(field, f"at most {sizes[-1]}", self.published_from_kilobytes)
        return self

    def to_choose_from(self, *, published: bool) -> tuple[Scratchpad, ...]:
        """Return the scratchpads that a design may have, smallest first."""
        least = self.published_from_kilobytes if published else 1
        return tuple(one for one in self.capacities if one.kilobytes >= least)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class NetworkOnChip:
    """A mesh of macros: a flit and a hop cost `hop_ns` each; power is that of the whole chip."""

    source: Text
    flit_bits: Annotated[int, Field(ge=1)]
    hop_ns: Positive
    power_w: Positive
    area_um2: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Components:
    """All constants that a synthesis needs.

    weight_bits, activation_bits: of the network's data
    step_floor_ns: the shortest pipeline step
    clock_ns: of the chip, 1 if the file leaves it out; strict rules let steps, accesses and hops
        take whole clocks. A whole number of 1/64 ns, so that sums of clocks have no rounding
    """

    format: Literal["hwgen.crossbar.components"]
    version: Literal[2]
    name: Text
    weight_bits: Bits
    activation_bits: Bits
    step_floor_ns: Positive
    clock_ns: Positive = 1.0
    crossbars: Crossbars
    adcs: Adcs
    dacs: Dacs
    vector_units: VectorUnits
    scratchpads: Scratchpads
    network_on_chip: NetworkOnChip

    @model_validator(mode="after")
    def check(self) -> Self:
        """Times in clocks are exact."""
        if not (self.clock_ns * CLOCK_PARTS).is_integer():
            raise FieldError("clock_ns", f"a whole number of 1/{CLOCK_PARTS} ns", self.clock_ns)
        return self

    @property
    def digest(self) -> str:
        """sha256 over everything, 64 hex digits; a clock of 1 ns counts as left out."""
        content = asdict(self)
        if self.clock_ns == 1:
            del content["clock_ns"]
        return digest_of(content)


def load_components(path: Path) -> Components:
    """Return the constants in a complete YAML file."""
    return load_spec(Components, path)
