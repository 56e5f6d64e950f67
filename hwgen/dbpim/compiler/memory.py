"""Maps in memory between the units of a program: their places, and the steps that load them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.grid import Rows
from hwgen.dbpim.compiler.ops import MapShape
from hwgen.dbpim.compiler.steps import Images, Step, Tensor
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.instructions import Space
from hwgen.dbpim.facts.program import ImagePlan, MemoryPlace, MemorySpace, StatePlan
from hwgen.network import INPUT

ONE_WORD = {
    "pixel_bytes": 0,
    "pixel_channels": 0,
    "window_pixels": 1,
    "window_stride": 1,
    "window_padding": 0,
    "window_value": 0,
}
"""Fields of a LOAD of whole words."""


SPACES: dict[Space, MemorySpace] = {
    Space.IMAGE: "image",
    Space.SCRATCH: "scratch",
    Space.ANSWER: "answer",
    Space.PROGRAM: "program",
}


@dataclass(frozen=True, kw_only=True)
class MemoryMap:
    """The maps of all images of a run: image n is at `offset` + n * `stride`.

    row_bytes: of a row; pitch: from one row to the next
    """

    shape: MapShape
    space: Space
    offset: int
    stride: int
    row_bytes: int
    pitch: int

    def at(self, image: int, row: int) -> int:
        """Return the offset of a row."""
        return self.offset + image * self.stride + row * self.pitch


def aligned(size: int, unit: int) -> int:
    """Return the next multiple of `unit`."""
    return -(-size // unit) * unit


def image_plan(build: Builder) -> ImagePlan:
    """Return how the images lie in memory."""
    place = image_map(build)
    image = build.lowered.image
    return ImagePlan(shape=image.shape, pixel_bytes=image.pixel_bytes, stride=place.stride)


def image_map(build: Builder) -> MemoryMap:
    """Return the place of the images."""
    image, arch = build.lowered.image, build.arch
    height, width, channels = image.shape
    words = channel_words(channels, arch)
    row_bytes = width * (image.pixel_bytes or words * arch.word)
    return MemoryMap(
        shape=build.lowered.maps[INPUT],
        space=Space.IMAGE,
        offset=0,
        stride=aligned(height * row_bytes, max(ALIGNMENT_BYTES, arch.port_bytes)),
        row_bytes=row_bytes,
        pitch=row_bytes,
    )


def constant_maps(build: Builder) -> dict[str, MemoryMap]:
    """Return the places of the constants: one copy of each for all images of a run."""
    found: dict[str, MemoryMap] = {}
    end = 0
    for name, values in build.lowered.constants.items():
        height, width, channels = values.shape
        row_bytes = width * channel_words(channels, build.arch) * build.arch.word
        found[name] = MemoryMap(
            shape=build.lowered.maps[name],
            space=Space.PROGRAM,
            offset=end,
            stride=0,
            row_bytes=row_bytes,
            pitch=aligned(row_bytes, build.arch.port_bytes),
        )
        end += height * found[name].pitch
    return found


class Scratch:
    """Places of the maps that one unit writes and another one reads, of images and constants."""

    def __init__(self, build: Builder) -> None:
        self.build, self.end = build, 0
        self.maps = {INPUT: image_map(build), **constant_maps(build)}
        # States lie first, so that the place of each does not depend on what is spilled.
        for name in build.lowered.states:
            self.place(name)
        for name, cache in build.lowered.caches.items():
            shape = build.lowered.maps[name]
            self.maps[name] = replace(self.maps[cache], shape=shape)

    def place(self, name: str) -> MemoryMap:
        """Return the place of a map, a new one if it has none."""
        if name not in self.maps:
            build = self.build
            shape, unit = build.lowered.maps[name], build.arch.port_bytes
            words = channel_words(shape.channels, build.arch)
            row_bytes = shape.width * words * build.arch.word
            pitch = aligned(row_bytes, unit)
            stride = aligned(shape.height * pitch, ALIGNMENT_BYTES)
            self.maps[name] = MemoryMap(
                shape=shape,
                space=Space.SCRATCH,
                offset=self.end,
                stride=stride,
                row_bytes=row_bytes,
                pitch=pitch,
            )
            self.end += build.run_images * stride
        return self.maps[name]


def layer_of(constant: str) -> str:
    """Return the layer of a constant: itself, or the one that needs it, as its name begins."""
    return constant.partition(" ")[0]


def load_steps(
    build: Builder,
    place: MemoryMap,
    tensor: Tensor,
    *,
    images: Images,
    rows: Rows,
    reader: str,
) -> Iterator[Step]:
    """Yield the steps that load some rows of some images; reader: names what reads them."""
    partial = tensor.shape.width < place.shape.width
    for image in range(images[0], sum(images)):
        if not partial and (place.space is Space.IMAGE or place.pitch == place.row_bytes):
            yield load_step(build, place, tensor, image=image, rows=rows, reader=reader)
            continue
        for row in range(*rows):
            one = row, row + 1
            yield load_step(build, place, tensor, image=image, rows=one, reader=reader)


def load_step(
    build: Builder,
    place: MemoryMap,
    tensor: Tensor,
    *,
    image: int,
    rows: Rows,
    reader: str,
) -> Step:
    """Return the step that loads rows of one image, from the first row that begins on a beat."""
    port, name, (first, end) = build.arch.port_bytes, place.shape.name, rows
    while place.at(image, first) % port:
        first -= 1
    pixel_bytes, number = place.row_bytes // place.shape.width, image - tensor.origin
    size, offset = (end - first) * place.row_bytes, place.at(image, first)
    if tensor.shape.width < place.shape.width:
        size = tensor.shape.width * pixel_bytes
        offset += tensor.first_column * pixel_bytes
    if place.space is Space.IMAGE:
        fields = dict(build.lowered.image.fields)
    else:
        fields = {**ONE_WORD, "memory_columns": place.shape.width}
    part = None if rows == (0, place.shape.height) else rows
    label = "load image" if name == INPUT and build.run_images == 1 else f"load {name}"
    title = build.name(label.replace("load input", "load"), (image, 1), part)
    if tensor.shape.width < place.shape.width:
        title = f"{title} from column {tensor.first_column}"
    known = {*build.lowered.constants, *build.lowered.remembered}
    layer = layer_of(name) if name in known else INPUT
    layer = next((op.layer for op in build.lowered.ops if op.output == name), layer)
    return Step(
        name=f"{title} for {reader}",
        layer=layer,
        op="load",
        kind="load",
        images=(image, 1),
        rows=(first, end),
        output=tensor,
        memory=MemoryPlace(space=SPACES[place.space], offset=offset, size=size),
        fields={
            **fields,
            "space": place.space,
            "offset": offset,
            "beats": -(-size // port),
            "first_row": number * tensor.image_rows + first,
            "first_column": number * tensor.image_columns,
            "rows": end - first,
            "columns": tensor.shape.width,
        },
    )


def state_plans(build: Builder, scratch: Scratch) -> list[StatePlan]:
    """Return where the states lie, and what they are before the first call."""
    found = []
    for name, values in build.lowered.states.items():
        place, arch = scratch.place(name), build.arch
        pixel = place.row_bytes // place.shape.width
        height, width, channels = values.shape
        words = np.pad(values, ((0, 0), (0, 0), (0, pixel - channels)))
        rows = np.pad(words.reshape(height, -1), ((0, 0), (0, place.pitch - width * pixel)))
        appended = name in build.lowered.caches.values()
        assert not appended or (place.pitch == place.row_bytes and pixel % arch.port_bytes == 0)
        found.append(
            StatePlan(
                layer=name,
                offset=place.offset,
                size=rows.size,
                pixel_bytes=pixel if appended else 0,
                first=rows.astype(np.uint8).tobytes().hex(),
            )
        )
    return found
