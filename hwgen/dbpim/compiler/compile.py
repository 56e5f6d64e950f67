"""From a quantized network and an architecture to a program."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.dbpim.compiler.answer import Answers, answer_plan
from hwgen.dbpim.compiler.builder import Builder, Judgements
from hwgen.dbpim.compiler.constants import place_constants
from hwgen.dbpim.compiler.cost import WAYS, LayerCost, ProgramCost
from hwgen.dbpim.compiler.encode import encode_step
from hwgen.dbpim.compiler.folding import folded, folds
from hwgen.dbpim.compiler.lower import lower
from hwgen.dbpim.compiler.memory import Scratch, image_plan, state_plans
from hwgen.dbpim.compiler.partition import unit_steps
from hwgen.dbpim.compiler.plans import step_plan
from hwgen.dbpim.compiler.room import collect_room
from hwgen.dbpim.compiler.steps import Step
from hwgen.dbpim.compiler.supported import collect_supported
from hwgen.dbpim.compiler.weights import layer_weights
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import VERSION, Opcode
from hwgen.dbpim.facts.program import VERSION as FILE_VERSION
from hwgen.dbpim.facts.program import Program, ProgramFacts
from hwgen.dbpim.facts.stream import encode_header, sealed_program
from hwgen.errors import CompileError, Reasons
from hwgen.network import QuantizedNetwork
from hwgen.network.graph import VERSION_6


def compile_network(
    network: QuantizedNetwork,
    arch: Arch,
    *,
    images: int = 1,
    layer_cost: LayerCost | None = None,
) -> Program:
    """Return the program of a network; the same arguments give the same bytes.

    images: images of one run
    layer_cost: judges candidate splits of a layer, by a cycle model for example; None: an
        estimate (`hwgen.dbpim.compiler.cost.estimate`). One that rates programs, too, chooses
        among `WAYS`
    """
    reasons = Reasons(network.graph.name)
    if images > 1 and network.graph.version == VERSION_6:
        raise CompileError(
            f"images of a run of {network.graph.name} must be 1: each is a call of its own, "
            f"got {images}"
        )
    shaped = folded(network, arch.word)
    if not collect_supported(reasons, shaped, arch):
        reasons.check()
    lowered = lower(shaped, arch, network)
    collect_room(reasons, lowered, arch)
    reasons.check()
    weights = layer_weights(lowered, shaped, arch)
    program_cost: ProgramCost | None = getattr(layer_cost, "of_program", None)
    judgements: Judgements = {}
    programs = [
        built(
            network,
            shaped,
            Builder(
                lowered,
                weights,
                arch,
                run_images=images,
                layer_cost=layer_cost,
                way=way,
                judgements=judgements,
            ),
        )
        for way in (WAYS if program_cost else WAYS[:1])
    ]
    return fastest(programs, program_cost) if program_cost else programs[0]


def fastest(programs: Sequence[Program], cost: ProgramCost) -> Program:
    """Return the program of the fewest cycles, of equal ones the first."""
    different = {program.image.tobytes(): program for program in reversed(programs)}
    kept = list(reversed(different.values()))
    return kept[0] if len(kept) == 1 else min(kept, key=lambda each: cost(each.image))


def built(network: QuantizedNetwork, shaped: QuantizedNetwork, build: Builder) -> Program:
    """Return the program of a network in one way; shaped: its folded form."""
    arch, images = build.arch, build.run_images
    answers = Answers(build)
    scratch = Scratch(build)
    steps = [*unit_steps(build, scratch, answers), end_step(images)]
    constants = place_constants(steps, build)
    answer, *further = (
        replace(answer_plan(build, name, answers), shape=network.map_of(name).shape)
        for name in build.lowered.outputs
    )
    facts = ProgramFacts(
        format="hwgen.dbpim.program",
        version=FILE_VERSION,
        network=network.digest,
        network_name=network.graph.name,
        architecture=arch.digest,
        architecture_name=arch.name,
        images=images,
        image=replace(image_plan(build), shape=network.graph.input.shape),
        answer=answer,
        further=further,
        folds=folds(network, shaped),
        states=state_plans(build, scratch),
        positions=network.starts,
        scratch_bytes=scratch.end,
        steps=[step_plan(build, step) for step in steps],
    )
    image = np.frombuffer(encode_program(steps, facts, arch) + constants, np.uint8)
    return Program(facts=facts, image=sealed_program(image, arch))


def end_step(images: int) -> Step:
    """Return the last step."""
    return Step(name="end", layer="end", op="end", kind="end", images=(0, images), rows=(0, 0))


def encode_program(steps: list[Step], facts: ProgramFacts, arch: Arch) -> bytes:
    """Return BEGIN and the packets of all steps; each LOAD tells the beats up to the next one."""
    begin = {
        "version": VERSION,
        "architecture": arch.id_word,
        "network": int(facts.network[:8], 16),
        "positions": facts.positions,
    }
    parts = [b"" if step.kind == "load" else encode_step(step, arch) for step in steps]
    segment, sizes = 0, [len(part) // arch.port_bytes for part in parts]
    for number in range(len(steps) - 1, -1, -1):
        if steps[number].kind != "load":
            segment += sizes[number]
            continue
        fields = {**steps[number].fields, "segment_beats": segment}
        steps[number].fields = fields
        parts[number] = encode_step(steps[number], arch)
        segment = len(parts[number]) // arch.port_bytes
    return encode_header(Opcode.BEGIN, begin, arch) + b"".join(parts)
