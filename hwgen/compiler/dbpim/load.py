"""Steps that load maps from memory: images, and maps that did not fit."""

from hwgen.compiler.dbpim.builder import Builder
from hwgen.compiler.dbpim.grid import Rows
from hwgen.compiler.dbpim.steps import Images, Step, Tensor
from hwgen.spec.dbpim.instructions import ALIGNMENT_BYTES, Space
from hwgen.spec.dbpim.program import ImagePlan, MemoryPlace
from hwgen.spec.network import INPUT


def image_plan(build: Builder) -> ImagePlan:
    """Return how the images lie in memory."""
    image, arch = build.lowered.image, build.arch
    height, width, _ = image.shape
    size = height * width * stored_bytes(build)
    unit = max(ALIGNMENT_BYTES, arch.port_bytes)
    return ImagePlan(
        shape=image.shape, pixel_bytes=image.pixel_bytes, stride=-(-size // unit) * unit
    )


def stored_bytes(build: Builder) -> int:
    """Return the bytes of a pixel of the image in memory."""
    image, width = build.lowered.image, build.arch.macro.compartments
    return image.pixel_bytes or -(-image.shape[2] // width) * width


def image_step(build: Builder, tensor: Tensor, image: int, rows: Rows | None = None) -> Step:
    """Return the step that loads one image of the run, or some rows of it."""
    plan, shape = image_plan(build), build.lowered.maps[INPUT]
    first, end = rows or (0, shape.height)
    row_bytes = plan.shape[1] * stored_bytes(build)
    while first * row_bytes % ALIGNMENT_BYTES:
        first -= 1
    offset, size = image * plan.stride + first * row_bytes, (end - first) * row_bytes
    number = image - tensor.origin
    images: Images = (image, 1)
    return Step(
        name=build.name("load image", images, rows)
        if build.run_images == 1
        else (build.name("load", images, rows)),
        layer=INPUT,
        op="load" if build.lowered.image.whole else "load windows",
        kind="load",
        images=images,
        rows=rows or (0, shape.height),
        output=tensor,
        memory=MemoryPlace(space="image", offset=offset, size=size),
        fields={
            **build.lowered.image.fields,
            "space": Space.IMAGE,
            "offset": offset,
            "beats": -(-size // build.arch.port_bytes),
            "first_row": number * tensor.image_rows + first,
            "first_column": number * tensor.image_columns,
            "rows": end - first,
            "columns": shape.width,
        },
    )
