"""From a quantized network and an architecture to a program.

Tests: `tests/mram/compiler/test_execute.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.errors import CompileError, Reasons
from hwgen.mram.compiler.check import check_sums
from hwgen.mram.compiler.forms import with_rounds
from hwgen.mram.compiler.maps import StoredMap, stored_maps
from hwgen.mram.compiler.modes import ModeRecords
from hwgen.mram.compiler.parameters import Words
from hwgen.mram.compiler.rows import (
    Bits,
    placed_segments,
    placement_of,
    run_bits,
    run_place,
    weight_rows,
)
from hwgen.mram.compiler.search import Placement, searched, seed_placement
from hwgen.mram.compiler.supported import OPS, answer_blocks, check_supported, field_limit
from hwgen.mram.compiler.tasks import LayerCost, Task, estimate, round_size, tasks_of
from hwgen.mram.compiler.units import Unit, units_of
from hwgen.mram.compiler.views import View, view_of
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.image import answer_bytes
from hwgen.mram.facts.program import (
    VERSION,
    AnswerPlan,
    ImagePlan,
    ModePlan,
    PlacedSegment,
    Program,
    ProgramFacts,
)
from hwgen.mram.facts.program import Mapping as Placing
from hwgen.mram.facts.stream import Content, decode_program, encode_program
from hwgen.network import INPUT, QuantizedNetwork


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A network as passes over maps in banks; views: of the layers with weights."""

    network: QuantizedNetwork
    arch: Arch
    units: Sequence[Unit]
    maps: Mapping[str, StoredMap]
    views: Mapping[str, View]


@dataclass(frozen=True, kw_only=True)
class ModeTables:
    """Records of all modes, the first one of each, and what they do."""

    records: list[dict[str, int]]
    first_records: list[int]
    plans: list[ModePlan]


def lower(network: QuantizedNetwork, arch: Arch) -> Lowered:
    """Return the passes of a network.

    Errors: CompileError, or RefusedNodesError with all that the chip does not run; sums are judged
    where the layers are supported
    """
    reasons = Reasons(network.graph.name)
    with reasons.among():
        check_supported(network, arch)
    if not {layer.op for layer in network.layers} <= set(OPS):
        reasons.check()
    units: Sequence[Unit] = ()
    with reasons.among():
        units = units_of(network)
    maps = stored_maps(network, units, arch, reasons)
    views: dict[str, View] = {}
    if not reasons:
        for unit in units:
            if unit.weighted is not None:
                with reasons.among():
                    views[unit.layer.name] = view_of(unit, network, maps, arch)
        check_sums(network, views, arch, reasons)
    reasons.check()
    return Lowered(network=network, arch=arch, units=units, maps=maps, views=views)


def compile_network(
    network: QuantizedNetwork,
    arch: Arch,
    *,
    images: int = 1,
    mapping: Placing | None = None,
    layer_cost: LayerCost | None = None,
) -> Program:
    """Return the program of a network; the same arguments give the same bytes.

    images: images of one run
    mapping: `positions`: idle sub-arrays and segments compute other positions of the layer;
        `seed`: one kernel a sub-array, and in each of the chip's `kernel_copies` one position at a
        time; None: `seed` on a chip that has these, else `positions`
    layer_cost: judges placements, by the cycle model for example; None: an estimate
    """
    lowered = lower(network, arch)
    mapping = mapping or ("seed" if arch.kernel_copies else "positions")
    ways = Ways(arch, mapping, layer_cost or cost_of(arch))
    if mapping == "seed":
        placement = seed_placement(lowered.views, arch)
    else:
        views, placement = placed(lowered.views, arch, ways)
        lowered = replace(lowered, views=views)
    weights = weight_rows(placement, lowered.views, arch)
    segments = placed_segments(placement, lowered.views)
    return program_of(lowered, ways, placement, weights, segments, images=images, mapping=mapping)


def placed(
    views: Mapping[str, View], arch: Arch, ways: Ways
) -> tuple[Mapping[str, View], Placement]:
    """Return views with the kernels of their rounds, and a placement that is fast in all modes.

    Larger rounds may take more rows, so those of a kernel a sub-array are tried as well.
    """
    tried = [views]
    if arch.any_kernel and (larger := with_rounds(views, arch, ways)) != views:
        tried.insert(0, larger)
    found, refused = [], None
    for each in tried:
        try:
            found.append((*searched(each, arch, ways), each))
        except CompileError as error:
            refused = error
    if refused is not None and not found:
        raise refused
    _, placement, chosen = min(found, key=lambda each: each[0])
    return chosen, placement


def cost_of(arch: Arch) -> LayerCost:
    """Return the estimate as the cost of a record."""
    rated = partial(estimate, arch)
    return lambda layer, fields: rated(fields)


def recompile(
    program: Program,
    network: QuantizedNetwork,
    arch: Arch,
    *,
    layer_cost: LayerCost | None = None,
) -> Program:
    """Return tables that run a network on the weights of a loaded program.

    network: has the same layers and weights, other modes
    Raises CompileError if a mode needs weights that the program does not hold.
    """
    resident = resident_weights(program, arch)
    lowered = with_rounds_of(program, lower(network, arch))
    mapping = program.facts.mapping
    ways = Ways(arch, mapping, layer_cost or cost_of(arch))
    placement = resident_placement(program, lowered, resident)
    return program_of(
        lowered,
        ways,
        placement,
        np.zeros((0, *resident.shape[1:]), np.bool_),
        program.facts.segments,
        images=program.facts.images,
        mapping=mapping,
    )


def with_rounds_of(program: Program, lowered: Lowered) -> Lowered:
    """Return a network whose layers have the rounds of a program."""
    if not lowered.arch.any_kernel:
        return lowered
    sizes: dict[str, list[int]] = {}
    for plan in program.facts.modes[0].steps:
        for layer in (plan.layer, *plan.fused):
            sizes.setdefault(layer, []).append(plan.kernels)
    views = {
        # A layer of one round needs no second one in any mode.
        name: replace(view, together=max(sizes.get(name, [0])[0], lowered.arch.sub_arrays))
        if len(sizes.get(name, [])) < 2
        else replace(view, together=sizes[name][0])
        for name, view in lowered.views.items()
    }
    return replace(lowered, views=views)


def resident_weights(program: Program, arch: Arch) -> Bits:
    """Return the weight rows of a program; CompileError if it brings none, or is another chip's."""
    facts = program.facts
    if facts.architecture != arch.digest:
        raise CompileError(
            f"a program must be for the architecture {arch.name} ({arch.digest[:8]}) to take"
            f" further modes, got one for {facts.architecture_name} ({facts.architecture[:8]})"
        )
    weights = decode_program(program.image, arch, source=facts.network_name).weights
    if len(weights) == 0:
        raise CompileError("a program must bring weight rows to take further modes, got tables")
    return weights


def resident_placement(program: Program, lowered: Lowered, resident: Bits) -> Placement:
    """Return the runs of a program that hold what the layers of a network need."""
    views, arch = lowered.views, lowered.arch
    found: Placement = {task: [] for view in views.values() for task in tasks_of(view, arch)}
    known = placement_of(program.facts.segments)
    for task, runs in found.items():
        view = views[task.name]
        for run in known:
            inside = run.first_kernel - task.first
            same = run.task.name == task.name
            same = same and 0 <= inside < round_size(view, task.first, arch)
            here = Task(name=task.name, first=task.first, mode=task.mode)
            if not same or (run.task.mode is None) != (task.mode is None):
                continue
            wanted = type(run)(**{**vars(run), "task": here})
            rows, columns = run_place(wanted, view, arch)
            if np.array_equal(resident[rows, :, columns], run_bits(wanted, view, arch)):
                runs.append(wanted)
    return found


def program_of(
    lowered: Lowered,
    ways: Ways,
    placement: Placement,
    weights: Bits,
    segments: list[PlacedSegment],
    *,
    images: int,
    mapping: Placing,
) -> Program:
    """Return a program from what stands in the rows."""
    network, arch = lowered.network, lowered.arch
    image, words = image_plan(lowered), Words(arch)
    answer, *further = answer_plans(lowered)
    tables = mode_tables(lowered, ways, placement, words)
    facts = ProgramFacts(
        format="hwgen.mram.program",
        version=VERSION,
        network=network.digest,
        network_name=network.graph.name,
        architecture=arch.digest,
        architecture_name=arch.name,
        images=images,
        mapping=mapping,
        weight_rows=len(weights),
        image=image,
        answer=answer,
        further=further,
        modes=tables.plans,
        segments=segments,
    )
    content = Content(
        network=int(network.digest[:8], 16),
        records=tables.records,
        first_records=tables.first_records,
        parameters=words.words,
        weights=weights,
        image_stride=image.stride,
        answer_stride=answer.stride,
    )
    check_tables(content, arch)
    return Program(facts=facts, image=encode_program(content, arch))


def mode_tables(lowered: Lowered, ways: Ways, placement: Placement, words: Words) -> ModeTables:
    """Return the records of all modes; their parameters are added to `words`."""
    tables = ModeTables(records=[], first_records=[], plans=[])
    for mode, name in enumerate(lowered.network.graph.modes):
        first = len(tables.records)
        made = ModeRecords(
            network=lowered.network,
            arch=lowered.arch,
            units=lowered.units,
            maps=lowered.maps,
            views=lowered.views,
            placement=placement,
            ways=ways,
            words=words,
            mode=mode,
            first=first,
        )
        records, steps = made.make(image_plan(lowered), answer_plans(lowered))
        tables.records.extend(records)
        tables.first_records.append(first)
        tables.plans.append(ModePlan(name=name, steps=steps))
    return tables


def check_tables(content: Content, arch: Arch) -> None:
    """Refuse more records or parameter words than the tables of the chip hold."""
    for what, count, limit in (
        ("records of all modes", len(content.records), arch.record_entries),
        ("parameter words of all modes", len(content.parameters), arch.parameter_entries),
    ):
        if count > limit:
            raise CompileError(f"the {what} must be at most {limit} on an mram chip, got {count}")


def aligned(size: int) -> int:
    """Return a size rounded up to the alignment of images and answers."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def image_plan(lowered: Lowered) -> ImagePlan:
    """Return how an image lies in memory."""
    stored, arch = lowered.maps[INPUT], lowered.arch
    feature = stored.feature
    size = feature.height * feature.width * stored.blocks * arch.block_bytes
    return ImagePlan(
        shape=feature.shape, bits=feature.bits, pixel_blocks=stored.blocks, stride=aligned(size)
    )


def answer_plans(lowered: Lowered) -> list[AnswerPlan]:
    """Return how each output of an image lies in memory, in the file's order.

    Errors: CompileError where the last one lies farther behind the first than a record can say
    """
    arch, plans, end = lowered.arch, list[AnswerPlan](), 0
    for name in lowered.network.graph.outputs:
        output = lowered.network.map_of(name)
        plan = AnswerPlan(
            layer=name,
            shape=output.shape,
            raw=output.raw,
            pixel_blocks=answer_blocks(output.channels, arch),
            stride=1,
            offset=end,
        )
        end += aligned(answer_bytes(plan, arch))
        plans.append(plan)
    most = field_limit("outside") * ALIGNMENT_BYTES
    if plans[-1].offset > most:
        raise CompileError(
            f"the outputs before the last must take at most {most} bytes on an mram chip, got"
            f" {plans[-1].offset}"
        )
    return [replace(plan, stride=end) for plan in plans]
