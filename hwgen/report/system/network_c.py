"""`hwgen_network.h` and `.c`: a compiled network, its images and answers, as constants of C."""

from hwgen import __version__
from hwgen.chip.in_memory import InMemory
from hwgen.network.graph import QuantizedNetwork

HEADER = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* {title}, written by hwgen {version}.
 *
 * program.bin  the program, {program_bytes} bytes, at a multiple of 64
 * images.bin   {images} images, {image_stride} bytes from one start to the next
 * expected.bin their answers, {used} bytes an image, pixels without what pads them
 */
#ifndef HWGEN_NETWORK_H
#define HWGEN_NETWORK_H

#include "hwgen.h"

{lines}

extern const struct hwgen_network hwgen_network;

#endif
"""
SOURCE = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* {title}, written by hwgen {version}. */
#include "hwgen_network.h"

static const uint32_t answer_offsets[] = {{{offsets}}};

const struct hwgen_network hwgen_network = {{
    .id = HWGEN_NETWORK_ID,
    .mode = HWGEN_NETWORK_MODE,
    .program_bytes = HWGEN_NETWORK_PROGRAM_BYTES,
    .scratch_bytes = HWGEN_NETWORK_SCRATCH_BYTES,
    .images = HWGEN_NETWORK_START_IMAGES,
    .image_bytes = HWGEN_NETWORK_IMAGE_BYTES,
    .image_stride = HWGEN_NETWORK_IMAGE_STRIDE,
    .answer_bytes = HWGEN_NETWORK_ANSWER_BYTES,
    .answer_stride = HWGEN_NETWORK_ANSWER_STRIDE,
    .answer_offsets = answer_offsets,
}};
"""


def network_c(
    memory: InMemory,
    network: QuantizedNetwork,
    *,
    chip: str,
    id_word: int,
    mode: int,
    images: int,
) -> dict[str, str]:
    """Return the text of header and source by name.

    chip: name of the architecture; id_word: of its register `id`; mode: number of the mode that
    runs; images: that were exported
    """
    values = constants(memory, network, mode)
    lines = [f"#define HWGEN_NETWORK_ID UINT32_C({id_word:#010x})"]
    lines.append(f"#define HWGEN_NETWORK_IMAGES {images} /* exported */")
    lines += [f"#define HWGEN_NETWORK_{name} {value}" for name, value in values.items()]
    title = f"Network {network.graph.name} for the chip {chip}"
    used = len(memory.expected) // images
    return {
        "hwgen_network.h": HEADER.format(
            title=title,
            version=__version__,
            program_bytes=len(memory.program),
            images=images,
            image_stride=memory.image_stride,
            used=used,
            lines="\n".join(lines),
        ),
        "hwgen_network.c": SOURCE.format(
            title=title, version=__version__, offsets=", ".join(map(str, memory.answer_offsets))
        ),
    }


def constants(
    memory: InMemory, network: QuantizedNetwork, mode: int
) -> dict[str, int | float | str]:
    """Return name and value of each constant; what C should take for a real number has a point."""
    graph = network.graph
    quantization = graph.input.quantization[mode]
    shapes = {"IMAGE": memory.image_shape, "ANSWER": memory.answer_shape}
    sides = {
        f"{what}_{side}": size
        for what, shape in shapes.items()
        for side, size in zip(("HEIGHT", "WIDTH", "CHANNELS"), shape, strict=True)
    }
    return {
        "MODE": mode,
        "PROGRAM_BYTES": len(memory.program),
        "SCRATCH_BYTES": memory.scratch_bytes,
        "STARTS": memory.starts,
        "START_IMAGES": memory.start_images,
        **sides,
        "IMAGE_BYTES": memory.image_bytes,
        "IMAGE_STRIDE": memory.image_stride,
        "IMAGE_ELEMENT_BYTES": memory.element_bytes,
        "IMAGE_PIXEL_BYTES": memory.pixel_bytes,
        "IMAGES_BYTES": len(memory.images),
        "INPUT_SCALE": f"{quantization.scale!r} /* real = scale * (byte - zero point) */",
        "INPUT_ZERO_POINT": quantization.zero_point,
        "ANSWER_BYTES": memory.answer_bytes,
        "ANSWER_STRIDE": memory.answer_stride,
        "ANSWER_ELEMENT_BYTES": memory.answer_element_bytes,
        "ANSWER_PIXEL_BYTES": memory.answer_pixel_bytes,
        "ANSWERS_BYTES": memory.answer_stride * memory.starts,
        "EXPECTED_BYTES": len(memory.expected),
    }
