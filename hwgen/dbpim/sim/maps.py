"""Feature maps from stored words: each word belongs to a step, an image and a place of its map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import INSTRUCTIONS
from hwgen.dbpim.facts.program import (
    Fold,
    ImagePlan,
    Placement,
    Program,
    ProgramFacts,
    StepPlan,
)
from hwgen.dbpim.facts.stream import decode_stream
from hwgen.dbpim.facts.timing import BUS_CYCLES
from hwgen.dbpim.sim.chip_run import ChipRun
from hwgen.dbpim.sim.stores import RAW, Stores
from hwgen.network import INPUT

Ints = NDArray[np.int64]
Fields = Mapping[str, int]


@dataclass(frozen=True)
class StoredMap:
    """data: uint8, (height, width, channels); cycles: int64, when each byte was stored last."""

    data: NDArray[np.uint8]
    cycles: Ints


@dataclass(frozen=True)
class Elements:
    """Bytes of maps, or int32 of an answer, one entry each, in the order of their cycles."""

    image: Ints
    y: Ints
    x: Ints
    channel: Ints
    data: NDArray[np.uint8]
    cycle: Ints


def stored_maps(run: ChipRun, program: Program, arch: Arch) -> list[dict[str, StoredMap]]:
    """Return the maps of each image of a run, by layer name."""
    facts = program.facts
    image = stored_image(facts)
    parts: dict[str, list[Elements]] = {}
    channels: dict[str, int] = {INPUT: facts.image.shape[2]}
    for plan, fields, stores in stores_of_steps(run, program, arch):
        found = elements(plan, fields, stores, arch, image)
        if found is not None:
            parts.setdefault(plan.layer, []).append(found)
            if plan.layer != INPUT:
                channels[plan.layer] = max(channels.get(plan.layer, 0), plan.filters)
    channels |= {plan.layer: plan.shape[2] for plan in facts.answers}
    maps: list[dict[str, StoredMap]] = [{} for _ in range(facts.images)]
    for layer, stored in parts.items():
        least = image.shape[:2] if layer == INPUT else (1, 1)
        for number, one in enumerate(assemble(stored, (*least, channels[layer]), facts.images)):
            maps[number][layer] = unfolded(one, facts.folds.get(layer))
    return maps


def stored_image(facts: ProgramFacts) -> ImagePlan:
    """Return how an image lies in memory, in the shape that it has in the buffers."""
    fold = facts.folds.get(INPUT)
    if fold is None:
        return facts.image
    return replace(facts.image, shape=(*fold.stored, facts.image.shape[2]))


def unfolded(found: StoredMap, fold: Fold | None) -> StoredMap:
    """Return a map in the shape of the network; one of a wrong shape differs as it is."""
    if fold is None or found.data.shape[:2] != fold.stored:
        return found
    return StoredMap(fold.unfolded(found.data), fold.unfolded(found.cycles))


def stores_of_steps(
    run: ChipRun, program: Program, arch: Arch
) -> list[tuple[StepPlan, Fields, Stores]]:
    """Return each step with the fields of its instruction and the words that it stored."""
    instructions = [p for p in decode_stream(program.image, arch) if p.opcode in INSTRUCTIONS]
    # A word on the bus is stored BUS_CYCLES after its grant, maybe after the retirement.
    ends = np.array(run.retired_at) + BUS_CYCLES
    bounds = [0, *np.searchsorted(run.stores.cycle, ends, side="right").tolist()]
    return [
        (plan, packet.fields, run.stores.part(slice(begin, end)))
        for plan, packet, begin, end in zip(
            program.facts.steps, instructions, bounds, bounds[1:], strict=False
        )
    ]


def elements(
    plan: StepPlan, fields: Fields, stores: Stores, arch: Arch, memory: ImagePlan
) -> Elements | None:
    """Return what a step stored of its layer's map; None: nothing of it. memory: of the images."""
    if plan.kind == "load" and plan.layer == INPUT:
        image, y, x = pixels(plan, fields, stores, arch, memory)
        if fields["window_pixels"] > 1:
            return window_elements((image, y, x), fields, stores)
        return word_elements((image, y, x), stores, arch)
    if plan.kind == "conv" and fields["raw"]:
        return raw_elements(plan, fields, stores, arch)
    if not plan.whole_words or plan.kind not in ("load", "conv", "simd"):
        return None
    return word_elements(places(plan, fields, stores), stores, arch)


def word_elements(place: tuple[Ints, Ints, Ints], stores: Stores, arch: Arch) -> Elements:
    """Return the bytes of whole words; place: image, row and column of each word."""
    image, y, x = place
    which, lane = np.nonzero(stores.enable)
    return Elements(
        image=image[which],
        y=y[which],
        x=x[which],
        channel=stores.word[which] * arch.word + lane,
        data=stores.data[which, lane],
        cycle=stores.cycle[which],
    )


def pixels(
    plan: StepPlan, fields: Fields, stores: Stores, arch: Arch, memory: ImagePlan
) -> tuple[Ints, Ints, Ints]:
    """Return image, row and column of each word that a LOAD of one image stores.

    They count from where its first word comes from: wherever it lies among several images, and
    where the buffers hold only some columns.
    """
    _, width, channels = memory.shape
    pixel_bytes = memory.pixel_bytes or channel_words(channels, arch) * arch.word
    of_image = fields["offset"] - plan.images[0] * memory.stride
    first_y, first_x = divmod(of_image // pixel_bytes, width)
    image = np.full(len(stores), plan.images[0])
    y = stores.row - fields["first_row"] + first_y
    return image, y, stores.column - fields["first_column"] + first_x


def places(plan: StepPlan, fields: Fields, stores: Stores) -> tuple[Ints, Ints, Ints]:
    """Return image of the run, row and column of each word; stored coordinates hold all three.

    The first image of which a step stores words is the first one of its plan.
    """
    rows, columns = image_strides(plan.output, fields)
    image = np.zeros(len(stores), np.int64)
    y, x = stores.row, stores.column
    if rows:
        image, y = y // rows, y % rows
    elif columns:
        image, x = x // columns, x % columns
    first = int(image.min()) if len(image) else 0
    return image - first + plan.images[0], y, x


def image_strides(output: Placement | None, fields: Fields) -> tuple[int, int]:
    """Return stored rows and columns from one image to the next."""
    if output is not None:
        return output.image_rows, output.image_columns
    return fields["output_image_rows"], fields["output_image_columns"]


def raw_elements(plan: StepPlan, fields: Fields, stores: Stores, arch: Arch) -> Elements:
    """Return the int32 that a step brought to the logit buffer; their values are not known."""
    raw = stores.part((stores.kind & RAW).astype(bool))
    count = arch.filters
    number = (raw.index[:, None] + np.arange(count) - fields["output_base"]).ravel()
    pitch = max(1, fields["output_row_pitch"])
    single = plan.images[1] == 1
    zeros = np.zeros(len(number), np.int64)
    return Elements(
        image=plan.images[0] + (zeros if single else number // pitch),
        y=zeros,
        x=zeros,
        channel=number if single else number % pitch,
        data=np.zeros(len(number), np.uint8),
        cycle=np.repeat(raw.cycle, count),
    )


def window_elements(place: tuple[Ints, Ints, Ints], fields: Fields, stores: Stores) -> Elements:
    """Return the pixels of an image whose words hold windows of neighbours; some come twice."""
    image, y, column = place
    channels, parts = fields["pixel_channels"], []
    for pixel in range(fields["window_pixels"]):
        at = column * fields["window_stride"] - fields["window_padding"] + pixel
        inside = np.nonzero((at >= 0) & (at < fields["memory_columns"]))[0]
        for channel in range(channels):
            data = stores.data[inside, pixel * channels + channel]
            same = np.full(len(inside), channel)
            parts.append((image[inside], y[inside], at[inside], same, data, stores.cycle[inside]))
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    order = np.argsort(joined[-1], kind="stable")
    return Elements(*(array[order] for array in joined))


def assemble(
    parts: Sequence[Elements], least: tuple[int, int, int], images: int
) -> list[StoredMap]:
    """Return the map of each image; of an element stored twice the last one counts.

    A map grows by what is stored outside it: above or left of it, or of another image, it gets a
    row more, so that its shape differs. Channels that fill a word up are left out.

    least: height and width that it has at least, and its channels
    """
    channels = least[2]
    image, y, x, channel, data, cycle = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("image", "y", "x", "channel", "data", "cycle")
    )
    outside = (y < 0) | (x < 0) | (image < 0) | (image >= images)
    below = max(least[0], int(y.max(initial=-1)) + 1)
    y, x = np.where(outside, below, y), np.where(outside, 0, x)
    image = image.clip(0, images - 1)
    known = (channel < channels) & (channel >= 0)
    height, width = (
        max(size, int(of.max(initial=0)) + 1) for size, of in zip(least[:2], (y, x), strict=True)
    )
    shape = (images, height, width, channels)
    at = image[known], y[known], x[known], channel[known]
    bytes_of, cycles = np.zeros(shape, np.uint8), np.zeros(shape, np.int64)
    # Assignment to repeated indices keeps the last value.
    bytes_of[at], cycles[at] = data[known], cycle[known]
    return [StoredMap(*both) for both in zip(bytes_of, cycles, strict=True)]
