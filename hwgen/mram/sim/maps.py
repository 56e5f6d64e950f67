"""Maps from writes to banks: each belongs to a step, an image and a place of its map."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.host import Retirement
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.image import element_type, unpack_answer
from hwgen.mram.facts.program import AnswerPlan, MapPlace, Program, StepPlan
from hwgen.mram.sim.chip_run import ChipRun, mode_and_record
from hwgen.mram.sim.stores import ANSWERS, Stores

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StoredMap:
    """data: unsigned, (height, width, channels); cycles: when each element was written last."""

    data: NDArray[Any]
    cycles: Ints


@dataclass(frozen=True, kw_only=True)
class RetiredStep:
    """A step of an image of a run.

    image: counted from the first one of the run; begin: cycle of the retirement before it
    stores: what it wrote
    """

    image: int
    plan: StepPlan
    begin: int
    retirement: Retirement
    stores: Stores


def retired_steps(run: ChipRun, program: Program) -> Iterator[RetiredStep]:
    """Yield the steps of a run in the order of their retirements.

    Retirements after the last image are no steps, nor what follows one of another record than the
    program has in its place, or in a mode that it lacks.
    """
    image, position, begin, first = 0, 0, 0, 0
    for retired in run.retired:
        mode, record = mode_and_record(retired)
        if image == len(run.answers) or mode >= len(program.facts.modes):
            return
        steps = program.facts.modes[mode].steps
        if position >= len(steps) or steps[position].record != record:
            return
        last = int(np.searchsorted(run.stores.cycle, retired.cycle, side="right"))
        stores = run.stores.part(slice(first, last))
        plan = steps[position]
        yield RetiredStep(image=image, plan=plan, begin=begin, retirement=retired, stores=stores)
        position += 1
        if position == len(steps):
            image, position = image + 1, 0
        begin, first = retired.cycle, last


def stored_maps(run: ChipRun, program: Program, arch: Arch) -> list[dict[str, StoredMap]]:
    """Return the maps of each image of a run that is over, by layer name."""
    contents = list(run.answers.values())
    maps: list[dict[str, StoredMap]] = [{} for _ in contents]
    cycles: dict[int, int] = {}
    for step in retired_steps(run, program):
        found, plan = maps[step.image], step.plan
        if plan.output is not None:
            part = bank_part(step.stores, plan.output, arch)
            merge(found, plan.layer, plan.output, part)
        elif plan.kind != "answer":
            cycles |= answer_cycles(step.stores, arch)
        else:
            answer = program.facts.answer_of(plan.inputs[0])
            found[answer.layer] = in_memory(contents[step.image], answer, plan, cycles, arch)
            cycles = {}
    return maps


def in_memory(
    content: NDArray[np.uint8],
    answer: AnswerPlan,
    plan: StepPlan,
    cycles: Mapping[int, int],
    arch: Arch,
) -> StoredMap:
    """Return an output of an image; plan: what stores it; cycles: of elements of its buffer."""
    data = unpack_answer(content[answer.offset :].tobytes(), answer, arch)[:, :, : plan.kernels]
    whole = answer.shape[0] * answer.shape[1] * answer.pixel_blocks * arch.block
    at = np.array([cycles.get(element, 0) for element in range(whole)], np.int64)
    return StoredMap(data, at.reshape(*answer.shape[:2], -1)[:, :, : plan.kernels])


def merge(maps: dict[str, StoredMap], layer: str, place: MapPlace, part: StoredMap) -> None:
    """Add the channels of a step to its layer's map."""
    if layer not in maps:
        zeros = np.zeros(place.shape, part.data.dtype)
        maps[layer] = StoredMap(zeros, np.zeros(place.shape, np.int64))
    channels = slice(place.first_channel, place.first_channel + place.channels)
    maps[layer].data[:, :, channels] = part.data[:, :, channels]
    maps[layer].cycles[:, :, channels] = part.cycles[:, :, channels]


def bank_part(stores: Stores, place: MapPlace, arch: Arch) -> StoredMap:
    """Return what writes left of a map in a bank; elements that were not written are 0."""
    elements = arch.row_bytes // arch.element_bytes
    height, width, channels = place.shape
    here = stores.part(stores.place == place.bank)
    data = np.zeros(arch.bank_rows * elements, element_type(arch))
    cycles = np.zeros(len(data), np.int64)
    numbers = here.row[:, None] * elements + np.arange(elements)
    values = np.ascontiguousarray(here.data[:, : arch.row_bytes]).view(element_type(arch))
    data[numbers[here.mask]] = values[here.mask]
    cycles[numbers[here.mask]] = np.repeat(here.cycle, here.mask.sum(axis=1))
    pixel = place.pixel_blocks * arch.block
    whole = slice(0, height * width * pixel)
    shape = (height, width, pixel)
    return StoredMap(
        data[whole].reshape(shape)[:, :, :channels], cycles[whole].reshape(shape)[:, :, :channels]
    )


def answer_cycles(stores: Stores, arch: Arch) -> dict[int, int]:
    """Return the cycle in which each element of the answer buffer was written last."""
    found = {}
    here = stores.part(stores.place == ANSWERS)
    for cycle, block, mask in zip(here.cycle, here.row, here.mask, strict=True):
        for lane in np.flatnonzero(mask[: arch.block]):
            found[int(block) * arch.block + int(lane)] = int(cycle)
    return found
