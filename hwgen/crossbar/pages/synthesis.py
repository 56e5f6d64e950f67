"""The report of `hwgen synthesize`.

It says nothing of wall-clock times, workers and folders: the same network, constants, budget and
seed give the same bytes.
"""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.point import Cells
from hwgen.crossbar.facts.rules import Objective, RulesName
from hwgen.files.load import EXACT
from hwgen.report.types import Count, Digest, Fraction, Images, Source
from hwgen.report.writing import WritingCost


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisPoint:
    """What is the same in a whole chip.

    rram_ratio: share of the budget for crossbars; null under strict rules, where it follows
    cell_bits: of a cell; side: rows and columns of a crossbar; dac_bits, adc_bits: of converters
    cells: offset: a column is a cell slice of weights with an offset; differential: two columns are
    """

    rram_ratio: Fraction | None
    cell_bits: Count
    side: Count
    dac_bits: Count
    adc_bits: Count
    cells: Cells = "offset"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisChip:
    """The mesh, and what stands on it."""

    macros: Count
    mesh_rows: Count
    mesh_columns: Count
    crossbars: Count
    scratchpad_kilobytes: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisLayer:
    """One layer on the chip.

    copies: of its weights (WtDup); blocks: computation blocks of an image
    crossbars, adc, dac: of all copies; adc is 0 where it uses those of its partner
    first_macro, macros, partner: where it lives, and the layer that lives there too
    clocks_per_bit: steps in which its ADCs work off one input bit
    peak_w: of all that belongs to it; scratchpads and mesh belong to the chip
    start_step, end_step: when it works on the first image
    busy: share of a steady stream's interval in which its slowest operation works
    """

    name: str
    kind: str
    copies: Count
    blocks: Count
    crossbars: Count
    adc: Count
    dac: Count
    first_macro: Count
    macros: Count
    partner: str | None
    clocks_per_bit: Count
    peak_w: float
    start_step: Count
    end_step: Count
    busy: Fraction


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisPart:
    """All of one part: power while it works and while it waits, energy of an image, area.

    static_mj, dynamic_mj: as the search charges them
    counted_mj: of an image by the events that a simulation counts, and by time; of parts without
        events (DACs, digital units) as the search charges; null under published rules
    """

    part: str
    count: Count
    peak_w: float
    static_w: float
    static_mj: float
    dynamic_mj: float
    counted_mj: float | None
    area_mm2: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AuditRow:
    """So many of one part for a layer or for the chip; all `peak_w` add up to `peak_power_w`."""

    layer: str
    part: str
    count: Count
    unit_peak_w: float
    peak_w: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisStream:
    """A stream of images, simulated exactly; one enters every `interval_steps`.

    images: that were simulated
    least_interval_steps: what layers and shared ADCs ask for; it may be less than links of the
        mesh, or scratchpads that hold parts of several images, allow
    latency_ms: of the slowest image
    energy_mj, efficiency_gops_per_w: of one of its images, to which static power counts for an
        interval
    scratchpad_kilobytes: what the fullest scratchpad holds; null: published rules do not ask
    """

    images: Count
    least_interval_steps: Count
    latency_ms: float
    energy_mj: float
    efficiency_gops_per_w: float
    scratchpad_kilobytes: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ParetoPoint:
    """A design that was confirmed; on_front: none is better in efficiency and in throughput.

    throughput_gops: in a stream that was simulated; not on the front: what layers and shared ADCs
        allow, at most
    """

    efficiency_gops_per_w: float
    throughput_gops: float
    latency_ms: float
    peak_power_w: float
    point: SynthesisPoint
    on_front: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ConvergencePoint:
    """Best design and bound after so many evaluations; null: not known yet."""

    evaluations: Count
    best_gops_per_w: float | None
    bound_gops_per_w: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OuterPoint:
    """One combination of the outer loop: its bound and the best found (null: not searched)."""

    point: SynthesisPoint
    bound_gops_per_w: float | None
    best_gops_per_w: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisReport:
    """What a synthesis found, what it proves, and how it came.

    objective: what the design was chosen for; `bound_gops_per_w`, and the efficiencies of
        `convergence` and `points`, are of that: see `merit`
    identical: whether every macro has as many of each component as the one that needs most
    efficiency_gops_per_w: operations of an image over its energy
    throughput_gops, images_per_s: in a steady stream of images, see `stream`
    latency_ms, energy_mj, edp_ms_mj: of one image
    peak_power_w: sum of `audit`; within_budget: it is at most power_budget_w
    peak_efficiency_gops_per_w: if every crossbar computed all the time, over the peak power
    bound_gops_per_w: what no design can beat under the same rules and budget; null: not computed
    gap_to_bound_percent: how much above ours the bound is
    evaluations: designs judged; exact_evaluations: by exact simulation; boxes: parts of the
        design space that were bounded
    refused: designs that the search did not take, by reason; a published search tells none
    stopped_early: a time limit or an interrupt ended the search; the result then depends on it
    steps, step_ns, interval_steps: pipeline steps of an image, their length, from image to image
    step_budget_w: the step is the shortest within this budget, which is `power_budget_w` or smaller
    architecture_digest, schedule_digest: of the files beside this report
    clock_ns: of the components, at which all times and powers are, whether a netlist reaches it or
        not; null: published rules have none
    no_verilog: why the chip cannot be written in Verilog; null: no reason is known
    """

    format: Literal["hwgen.report.synthesize"]
    version: Literal[1]
    network: Source
    components: Source
    rules: RulesName
    objective: Objective
    identical: bool
    method: str
    seed: Count
    power_budget_w: float
    efficiency_gops_per_w: float
    throughput_gops: float
    images_per_s: float
    latency_ms: float
    energy_mj: float
    edp_ms_mj: float
    peak_power_w: float
    within_budget: bool
    peak_efficiency_gops_per_w: float
    area_mm2: float
    bound_gops_per_w: float | None
    gap_to_bound_percent: float | None
    evaluations: Count
    exact_evaluations: Count
    boxes: Count
    refused: dict[str, Count]
    stopped_early: bool
    steps: Count
    step_ns: float
    step_budget_w: float
    interval_steps: Count
    stream: SynthesisStream
    point: SynthesisPoint
    chip: SynthesisChip
    architecture_digest: Digest
    schedule_digest: Digest
    layers: list[SynthesisLayer]
    power_by_component_w: dict[str, float]
    energy_by_part_mj: dict[str, float]
    area_by_component_mm2: dict[str, float]
    parts: list[SynthesisPart]
    audit: list[AuditRow]
    pareto: list[ParetoPoint]
    convergence: list[ConvergencePoint]
    points: list[OuterPoint]
    versions: dict[str, str]
    clock_ns: float | None = None
    no_verilog: str | None = None

    @property
    def merit(self) -> float:
        """What the design was chosen for, in the unit that `MERITS` names."""
        operations = self.efficiency_gops_per_w * self.energy_mj
        merits: dict[Objective, float] = {
            "image": self.efficiency_gops_per_w,
            "stream": self.stream.efficiency_gops_per_w,
            "throughput": self.throughput_gops,
            "latency": operations / self.latency_ms,
            "edp": operations / self.edp_ms_mj / 1e6,
        }
        return merits[self.objective]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AccuracyChoice:
    """One choice: its converters, bits that they have less than lose nothing, its accuracy.

    step: sums that a code counts
    """

    point: SynthesisPoint
    bits_less: Count
    accuracy: Fraction
    step: Count = 1


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ChipAccuracy(AccuracyChoice):
    """Accuracy of the chip that was found, with the copies that it has of each layer.

    accuracy: mean over the seeds, of the images that are printed; chosen_by: of those to choose by
    least, most: of the seeds; deviation: of one chip from another
    interval: in which the mean of all such chips on all such images is, at 95 %
    """

    chosen_by: Fraction
    least: Fraction
    most: Fraction
    deviation: float
    interval: tuple[Fraction, Fraction]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SynthesisAccuracy:
    """What a limit of accuracy asked for.

    effects: of devices; seeds: of them, one where nothing is drawn
    data: the images of the chip, images_to_choose: the first ones, by which choices were measured
    exact: accuracy of the same images without effects and with lossless converters
    choices: that were measured, with one copy of each layer, each step on its own; where no step
        has enough accuracy none with fewer bits was
    chip: that was found
    """

    effects: Source
    least_accuracy: Fraction
    data: Images
    exact: Fraction
    images_to_choose: Count
    seeds: list[Count]
    choices: list[AccuracyChoice]
    chip: ChipAccuracy


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ErringReport(SynthesisReport):
    """A synthesis with --effects.

    accuracy: of the chip, and of the choices that were measured
    writing: what a load of its program costs, by the file of effects
    """

    accuracy: SynthesisAccuracy
    writing: WritingCost
