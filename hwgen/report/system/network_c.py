"""`hwgen_network.h` and `.c`: a compiled network, its images and answers, as constants of C.

Tests: `tests/soc/test_axi.py`.
"""

import re
from collections.abc import Iterable, Sequence

from hwgen import __version__
from hwgen.chip.in_memory import AnswerLayout, InMemory, MapLayout
from hwgen.network.graph import QuantizedNetwork

HEADER = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* {title}, written by hwgen {version}.
 *
 * program.bin  the program, {program_bytes} bytes, at a multiple of 64
 * images.bin   {images} images, {image_stride} bytes from one start to the next
 * expected.bin their answers, {used} bytes an image: elements of whole bytes, without gaps{outputs}
 *
 * In an image, and in an answer in memory, channel c of pixel p (row after row) begins at bit
 *     8 * BLOCK_BYTES * (p / BLOCK_PIXELS) + PIXEL_BITS * (p % BLOCK_PIXELS) + ELEMENT_BITS * c
 */
#ifndef HWGEN_NETWORK_H
#define HWGEN_NETWORK_H

#include "hwgen.h"

{lines}

#ifdef __cplusplus
extern "C" {{
#endif

extern const struct hwgen_network hwgen_network;

#ifdef __cplusplus
}}
#endif

#endif
"""
SOURCE = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* {title}, written by hwgen {version}. */
#include "hwgen_network.h"

{offsets}
{firsts}
static const struct hwgen_output outputs[] = {{
{layouts}
}};

const struct hwgen_network hwgen_network = {{
    .id = HWGEN_NETWORK_ID,
    .mode = HWGEN_NETWORK_MODE,
    .program_bytes = HWGEN_NETWORK_PROGRAM_BYTES,
    .scratch_bytes = HWGEN_NETWORK_SCRATCH_BYTES,
    .images = HWGEN_NETWORK_START_IMAGES,
    .interval = HWGEN_NETWORK_INTERVAL,
    .image_bytes = HWGEN_NETWORK_IMAGE_BYTES,
    .image_stride = HWGEN_NETWORK_IMAGE_STRIDE,
    .answer_bytes = HWGEN_NETWORK_ANSWER_BYTES,
    .answer_stride = HWGEN_NETWORK_ANSWER_STRIDE,
    .answer_offsets = answer_offsets_0,
    .outputs = HWGEN_NETWORK_OUTPUTS,
    .output = outputs,
{states}}};
"""
FURTHER = """
 *
 * HWGEN_NETWORK_ANSWER_... tell of the first of {count} outputs, hwgen_network.output[n] of each,
 * in this order; expected.bin has all of an image, one behind the other:
{names}"""


def network_c(
    memory: InMemory,
    network: QuantizedNetwork,
    *,
    chip: str,
    id_word: int,
    mode: int,
    images: int,
    name: str = "network",
) -> dict[str, str]:
    """Return the text of header and source by name.

    chip: name of the architecture; id_word: of its register `id`; mode: number of the mode that
    runs; images: that were exported; name: in C and of the files, behind `hwgen_`
    """
    values = constants(memory, network, mode)
    lines = [f"#define HWGEN_NETWORK_ID UINT32_C({id_word:#010x})"]
    lines.append(f"#define HWGEN_NETWORK_IMAGES {images} /* exported */")
    lines += [f"#define HWGEN_NETWORK_{name} {value}" for name, value in values.items()]
    title = f"Network {network.graph.name} for the chip {chip}"
    used = len(memory.expected) // images
    texts = {
        "hwgen_network.h": HEADER.format(
            title=title,
            version=__version__,
            program_bytes=len(memory.program),
            images=images,
            image_stride=memory.image_stride,
            used=used,
            outputs=further(memory.answers),
            lines="\n".join(lines),
        ),
        "hwgen_network.c": SOURCE.format(
            title=title, version=__version__, **arrays(memory.answers), **state_arrays(memory)
        ),
    }
    return {named(file, name): named(text, name) for file, text in texts.items()}


def named(text: str, name: str) -> str:
    """Return a text of C with a name in the place of `network`, but for the type."""
    text = text.replace("HWGEN_NETWORK", f"HWGEN_{name.upper()}")
    return re.sub(r"(?<!struct )\bhwgen_network\b", f"hwgen_{name}", text)


def further(answers: Sequence[AnswerLayout]) -> str:
    """Return the sentence that names all outputs; none for one."""
    names = "\n".join(f" *   {each.name}" for each in answers)
    return FURTHER.format(count=len(answers), names=names) if len(answers) > 1 else ""


def arrays(answers: Sequence[AnswerLayout]) -> dict[str, str]:
    """Return the lines of C that say where each output lies."""
    offsets = [
        f"static const uint32_t answer_offsets_{number}[] = {{{listed(each.offsets)}}};"
        for number, each in enumerate(answers)
    ]
    layouts = [
        f"    {{{listed(output_values(each.layout))}, answer_offsets_{number}}}, /* {each.name} */"
        for number, each in enumerate(answers)
    ]
    return {"offsets": "\n".join(offsets), "layouts": "\n".join(layouts)}


def state_arrays(memory: InMemory) -> dict[str, str]:
    """Return the lines of C that say what a call leaves for the next; none without states."""
    if not memory.states:
        return {"firsts": "", "states": ""}
    arrays, members = [], []
    for number, state in enumerate(memory.states):
        alike = len(set(state.first)) == 1
        if not alike:
            values = listed(state.first)
            arrays.append(f"static const uint8_t first_{number}[] = {{{values}}};")
        first = "NULL" if alike else f"first_{number}"
        numbers = listed([state.offset, len(state.first)])
        members.append(f"    {{{numbers}, {first}, {state.first[0]}}}, /* {state.name} */")
    arrays += ["static const struct hwgen_state states[] = {", *members, "};", ""]
    facts = {
        "states": len(memory.states),
        "state": "states",
        "positions": memory.positions,
        "position_bytes": memory.position_bytes,
    }
    lines = [f"    .{name} = {value},\n" for name, value in facts.items()]
    return {"firsts": "\n" + "\n".join(arrays), "states": "".join(lines)}


def listed(values: Iterable[int]) -> str:
    """Return numbers as C lists them."""
    return ", ".join(map(str, values))


def constants(
    memory: InMemory, network: QuantizedNetwork, mode: int
) -> dict[str, int | float | str]:
    """Return name and value of each constant; what C should take for a real number has a point."""
    graph = network.graph
    quantization = graph.input.quantization[mode]
    return {
        "MODE": mode,
        "PROGRAM_BYTES": len(memory.program),
        "SCRATCH_BYTES": memory.scratch_bytes,
        "STARTS": memory.starts,
        "START_IMAGES": memory.start_images,
        "INTERVAL": memory.interval,
        **layout_constants("IMAGE", memory.image),
        "IMAGE_STRIDE": memory.image_stride,
        "IMAGES_BYTES": len(memory.images),
        "INPUT_SCALE": f"{quantization.scale!r} /* real = scale * (byte - zero point) */",
        "INPUT_ZERO_POINT": quantization.zero_point,
        "OUTPUTS": len(memory.answers),
        **layout_constants("ANSWER", memory.answers[0].layout),
        "ANSWER_STRIDE": memory.answer_stride,
        "ANSWERS_BYTES": memory.answer_stride * memory.starts,
        "EXPECTED_BYTES": len(memory.expected),
    }


def output_values(layout: MapLayout) -> list[int]:
    """Return the numbers of a `struct hwgen_output`, in their order."""
    return [
        *layout.shape,
        layout.element_bits,
        layout.pixel_bits,
        layout.block_pixels,
        layout.block_bytes,
        layout.size,
    ]


def layout_constants(what: str, layout: MapLayout) -> dict[str, int]:
    """Return the constants of a map."""
    values = dict(zip(("HEIGHT", "WIDTH", "CHANNELS"), layout.shape, strict=True))
    values |= {"ELEMENT_BITS": layout.element_bits, "PIXEL_BITS": layout.pixel_bits}
    values |= {"BLOCK_PIXELS": layout.block_pixels, "BLOCK_BYTES": layout.block_bytes}
    return {f"{what}_{name}": value for name, value in {**values, "BYTES": layout.size}.items()}
