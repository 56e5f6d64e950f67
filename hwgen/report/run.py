"""The report of `hwgen run`."""

from typing import Annotated, Literal

from pydantic import AliasChoices, Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import (
    ChipClock,
    Count,
    EnergySum,
    Fraction,
    NotNegative,
    ReplacedPart,
    Setting,
)
from hwgen.report.writing import RunEffects


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Figures:
    """Measured figures; null: not measured. Counts are sums over images; `equal` compares no sums.

    equal: each element equals golden, each count of cycles and of events the model, each start of a
        block its schedule; null: nothing was compared
    in_time: each count of cycles equals the model; null as well where the memory was slower
    mismatches: elements that differ from golden
    cycles_rtl, cycles_model: of the simulation, of the cycle model
    load_cycles_*: load-stall cycles, in which nothing computes because a load is pending
    cycles_compute_*: cycles without load-stall cycles
    """

    equal: bool | None
    in_time: bool | None
    mismatches: Count | None
    cycles_rtl: Count | None
    cycles_model: Count | None
    cycles_compute_rtl: Count | None
    cycles_compute_model: Count | None
    load_cycles_rtl: Count | None
    load_cycles_model: Count | None

    @property
    def cycles(self) -> int | None:
        """Cycles of the simulation; without one those of the cycle model."""
        return self.cycles_model if self.cycles_rtl is None else self.cycles_rtl


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunStep:
    """A step of one run: clock cycles after the accepted start; null: this side has no such step.

    layer: the layer that its cycles are counted for
    in_time: whether begin and end are equal
    events: of those that happen while no other step runs, the counts of model and simulation that
        differ, by event
    equal: in time and without such events; null as elsewhere: nothing was compared; where the
        memory was slower, without such events
    """

    name: str
    layer: str
    begin_rtl: Count | None
    end_rtl: Count | None
    begin_model: Count | None
    end_model: Count | None
    in_time: bool | None
    events: dict[str, tuple[int, int]]
    equal: bool | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ChipRun:
    """One run: one start of the chip.

    images: indices of its images
    counters_*: further ones of the chip, by the name of their register, and what else was counted:
        loading, held_clocks and image_cycles of each image where cycles are compared
    events_*: how often each event happened; empty for a family that counts none
    timed: cycles are compared with the model; false: the memory was slower
    equal: each counter, each event, and begin, end and events of each step by itself
    """

    index: Count
    images: list[Count]
    cycles_rtl: Count | None
    cycles_model: Count | None
    load_cycles_rtl: Count | None
    load_cycles_model: Count | None
    counters_rtl: dict[str, int] | None
    counters_model: dict[str, int] | None
    events_rtl: dict[str, int] | None
    events_model: dict[str, int] | None
    steps: list[RunStep]
    timed: bool
    equal: bool | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class StepSum:
    """A step of the program; cycles are sums over runs, the verdicts are of each run by itself."""

    name: str
    layer: str
    cycles_rtl: Count | None
    cycles_model: Count | None
    in_time: bool | None
    equal: bool | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunLayer(Figures):
    """One layer, or a step of the chip itself (kind `chip`): the image in, the logits out.

    Its cycles are sums over its steps, whose cycles add up to the total where none overlap. A layer
    without a step, which another layer computes on the way, has none.

    images: how many ran
    shape: height, width, channels of the output
    fused: the chip never stores the map whole; its consumer is compared instead
    sets: sets of cores; each computes some of the filters
    share: cores of a set, which split the positions
    weights_kept: fraction of weight blocks that are unpruned
    zero_bit_columns: fraction of the bit planes of its inputs that are zero, and can be skipped
    """

    name: str
    kind: str
    images: Count
    shape: tuple[int, int, int] | None
    fused: bool
    sets: Count | None
    share: Count | None
    weights_kept: Fraction | None
    zero_bit_columns: Fraction | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunImage:
    """One image.

    mode: of the network, by its name
    label: its class, if known
    cycles_*: from the end of the image before it in its run to its own end; null: the chip tells
        only those of a run, which has several images
    equal: every element of every map equals golden; null: nothing compared
    class: index of the largest value of the answer, the simulation's with the engine rtl; null
        unless the answer is 1 x 1 and the network names classes
    """

    index: Count
    mode: str
    label: int | None
    cycles_rtl: Count | None
    cycles_model: Count | None
    equal: bool | None
    class_: Annotated[
        int | None,
        Field(serialization_alias="class", validation_alias=AliasChoices("class", "class_")),
    ]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Difference:
    """The first thing that differs: elements before steps, steps before counters; null: not known.

    what: element; map (another shape or none); image (did not run); mode (of the image); step;
        counter (cycles, load_cycles or another, called `name`); event (called `name`, of a step or,
        without a layer, of a run); run (too few or too many, other images, or events that do not
        add up)
    run: index of the run; layer: of the network, or name of the step
    expected, found: golden's or the model's value, the simulation's; of a step its end, or its
        begin if that differs
    cycle: in which the element was written, or in which the step of its layer ended, as cycle_of
        says
    """

    what: Literal["element", "map", "image", "mode", "step", "counter", "event", "run"]
    run: Count | None = None
    image: Count | None = None
    mode: str | None = None
    layer: str | None = None
    y: Count | None = None
    x: Count | None = None
    channel: Count | None = None
    name: str | None = None
    expected: int | str | None = None
    found: int | str | None = None
    cycle: Count | None = None
    cycle_of: Literal["write", "retirement"] | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Constant:
    """Clocks that every run takes beside its pipeline steps, or that an operation begins later.

    share: of the cycles of a run
    """

    name: str
    clocks: Count
    share: Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunOperation:
    """One operation of a layer whose blocks start at promised pipeline steps.

    starts: of all runs that were compared; different: in another step than promised, or missing
    first_step, last_step: promised of the first and the last block of a run
    first_clock, last_clock: in which they started in the first run; null: no simulation
    lag_clocks: from the first clock of the step to each start; null: not always the same
    """

    layer: str
    operation: str
    starts: Count
    different: Count
    first_step: Count
    last_step: Count
    first_clock: Count | None
    last_clock: Count | None
    lag_clocks: Count | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunEnergy:
    """Energy of an image in one part of a chip.

    events_pj: of counted events, by the constants of the parts; null: no event counts its work
    search_pj: that the search charges which found the chip; null: its report is not there
    """

    part: str
    events_pj: float | None
    search_pj: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Starts:
    """What becomes of a promised schedule.

    promised_by: the file beside the architecture, or the cycle model: for several images of a run,
        and where there is no such file
    held_clocks: clocks by which steps were longer, of all runs
    first: the first start that differs
    """

    promised_by: Literal["schedule", "model"]
    held_clocks: Count
    constants: list[Constant]
    operations: list[RunOperation]
    energy: list[RunEnergy]
    first: Difference | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Memory:
    """What the memory of the simulation did that the cycle model does not know.

    latency: cycles from an accepted address to its first beat; null: as the cycle model assumes
    stall_percent: of cycles in which a channel did nothing; stall_seed: of these stalls
    error_address: the beat that holds this byte is answered with an error; null: none
    more_cycles: of the simulation than of the cycle model
    """

    latency: Count | None
    stall_percent: Count
    stall_seed: Count
    error_address: Count | None
    more_cycles: int | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunReport(Figures):
    """What `hwgen run` found.

    equal: each image, each run, each step and each counter by itself; null: nothing to compare
    replaced: parts of the chip that others stand for, in the simulation
    modes: of the network, by name, the widest first
    weight_row_writes_after_load: rows of weights written in all runs, by a counter of the chip;
        null without a simulation, or for a family without modes
    switch_cycles_max: cycles that a switch of the mode between two images costs at most, against
        the same images without a switch, both simulated; null without a switch, and where the
        memory was slower
    first_difference: null if all is equal or nothing was compared
    accuracy: of golden on these images; null without labels or classes
    predictions: class of each image, see `RunImage`
    starts_checked: starts of blocks that were compared with the schedule, starts_different: those
        in another step; starts_promised_by, held_clocks, constants, operations, energy: see
        `Starts`; null or empty for a family whose chips have no schedule
    seeds: of everything random, by use
    image_energy: by the events that the simulation counted, else those of the model; null where
        neither counts
    memory: null: as the cycle model assumes, or there was no simulation
    waves: file of the waves, if asked for
    effects: of devices that err, in golden and in the simulation; null: both are exact
    clock: of the chip; time_us: of an image on average at that clock, by the cycles of the
        simulation, else of the model; null: the netlist of the chip was not measured
    """

    format: Literal["hwgen.report.run"]
    version: Literal[6]
    engine: Literal["golden", "model", "rtl"]
    setting: Setting
    replaced: list[ReplacedPart]
    modes: list[str]
    seeds: dict[str, int]
    first_difference: Difference | None
    accuracy: Fraction | None
    predictions: list[int | None]
    weight_row_writes_after_load: Count | None
    switch_cycles_max: int | None
    starts_checked: Count | None
    starts_different: Count | None
    starts_promised_by: Literal["schedule", "model"] | None
    held_clocks: Count | None
    constants: list[Constant]
    operations: list[RunOperation]
    energy: list[RunEnergy]
    image_energy: EnergySum | None
    memory: Memory | None
    waves: str | None
    runs: list[ChipRun]
    steps: list[StepSum]
    layers: list[RunLayer]
    images: list[RunImage]
    effects: RunEffects | None = None
    time_us: NotNegative | None = None
    clock: ChipClock | None = None
