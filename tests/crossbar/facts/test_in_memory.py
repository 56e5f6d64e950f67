"""What firmware is told of a crossbar chip: by the layout each element of an answer is found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.network import answer
from hwgen.chip.in_memory import MapLayout
from hwgen.chip.registers import Command
from hwgen.chip.sim import host
from hwgen.chip.sim.host import Work
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, pages, smallest_memory
from hwgen.crossbar.compiler.compile import compile_network
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip, load_arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.image_io import packed_answer, packed_image, result_beats, results
from hwgen.crossbar.facts.in_memory import answer_layout, answer_of, in_memory, in_whole_bytes
from hwgen.crossbar.facts.timing import MEMORY_LATENCY_CYCLES
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.sim.chip_run import hosted
from hwgen.network import QuantizedNetwork
from tests.verif.crossbar.whole import design, plain_network, write_chip
from verif.common.drawing import Drawing, draw_images

IMAGES = 3


def conv_network(bits: int) -> QuantizedNetwork:
    """Return two convolutions, the answer a map of 5 x 5 pixels."""
    drawing = Drawing(3, modes=("full",), shape=(5, 5, 3), bits=bits)
    first = drawing.conv("input", (5,), kernel=(3, 3), padding=(1, 1, 1, 1), bits=bits)
    return drawing.build(drawing.conv(first, (3,), bits=bits))


def elements(content: bytes, layout: MapLayout) -> NDArray[np.int64]:
    """Return the elements of a map, (pixels, channels), by the formula of its layout."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little").astype(np.int64)
    height, width, channels = layout.shape
    pixel = np.arange(height * width)[:, None]
    first = 8 * layout.block_bytes * (pixel // layout.block_pixels)
    first = first + layout.pixel_bits * (pixel % layout.block_pixels)
    first = first + layout.element_bits * np.arange(channels)
    found = sum(bits[first + n] << n for n in range(layout.element_bits))
    return np.asarray(found)


def arch_of(network: QuantizedNetwork, copies: list[int]) -> Arch:
    count = len(copies)
    return make_arch(design(network, copies=copies, macros=[1] * count), "chip")


CASES = {"raw": (plain_network(), [1, 1, 1]), "map": (conv_network(8), [1, 3])}


@pytest.mark.promise(
    "export writes program, images and answers as bytes, and their sizes as constants, in one mode"
)
@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read_by_its_layout(case: str) -> None:
    """A head of raw sums, and a map in blocks of three pixels with a shorter one at the end."""
    network, copies = CASES[case]
    arch = arch_of(network, copies)
    chip, program = described(arch), compile_network(network, arch)
    images = draw_images(network, IMAGES, seed=1)
    answers = [answer(network, image[None])[0] for image in images]
    memory = in_memory(program, arch, images, {network.answer: answers})
    begin, travel = answer_of(chip, program, network.answer)
    (place,) = memory.answers
    stored = packed_answer(chip, travel, answers[1])
    assert len(stored) == place.layout.size
    bits = place.layout.element_bits
    wanted = answers[1].reshape(-1, answers[1].shape[-1]).astype(np.int64) & ((1 << bits) - 1)
    assert (elements(stored, place.layout) == wanted).all()
    assert place.layout.block_pixels == copies[-1]
    size = -(-bits // 8)
    expected = np.frombuffer(memory.expected, f"<u{size}").reshape(IMAGES, -1, wanted.shape[1])
    assert (expected[1] == wanted).all()
    held = memory.images[memory.image_stride :][: memory.image.size]
    assert held == packed_image(chip, images[1])
    assert (elements(held, memory.image) == images[1].reshape(-1, images.shape[-1])).all()
    stream = fabric_of_chip(arch, arch.name).stream
    assert (memory.interval, memory.start_images) == (stream.interval_steps, stream.images)
    offsets = [begin + n * memory.answer_stride for n in range(stream.images)]
    assert place.offsets == offsets and memory.starts == IMAGES


@pytest.mark.dear
def test_a_chip_answers_where_the_layout_says(tmp_path: Path) -> None:
    """The RTL, told what the driver tells it: bytes, strides and interval, all images at once."""
    network = plain_network()
    found = design(network, copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    arch = load_arch(write_chip(found, "plain", tmp_path))
    images = draw_images(network, IMAGES, seed=3)
    answers = [answer(network, image[None])[0] for image in images]
    memory = in_memory(compile_network(network, arch), arch, images, {network.answer: answers})
    (place,) = memory.answers
    first, last = PROGRAM_ADDRESS + pages(len(memory.program)), PROGRAM_ADDRESS + pages(1 << 14)
    size = memory.answer_stride * IMAGES
    content = {PROGRAM_ADDRESS: memory.program, first: memory.images, last: bytes(size)}
    told = {"command": Command.RUN, "images": IMAGES, "interval": memory.interval}
    told |= {"image_address": first, "answer_address": last}
    work = Work(
        content=content,
        memory_bytes=smallest_memory(last + size, runs=1),
        commands=[
            host.Command(
                number=0,
                loads=True,
                registers={"command": Command.LOAD, "program_address": PROGRAM_ADDRESS},
            ),
            host.Command(number=0, registers=told, answers=[(0, last, size)]),
        ],
        latency=MEMORY_LATENCY_CYCLES,
    )
    chip = described(arch)
    load, run = host.run_chip(work, hosted(chip), tmp_path)
    assert load.done and run.done and run.registers["images_done"] == IMAGES
    for number, wanted in enumerate(answers):
        begin = place.offsets[number]
        stored = run.answers[0][begin : begin + place.layout.size].tobytes()
        raw = wanted.reshape(-1, wanted.shape[-1]).astype(np.int64) & 0xFFFF_FFFF
        assert (elements(stored, place.layout) == raw).all()


def test_elements_of_other_sizes_than_bytes() -> None:
    """12 bits an element, two pixels a block: a block begins with a flit, an element anywhere."""
    network = conv_network(8)
    arch = arch_of(network, [1, 2])
    chip: Chip = described(arch)
    (travel,) = (replace(each, bits=12) for each in results(chip))
    values = np.arange(-37, 38).reshape(5, 5, 3)
    layout = answer_layout(chip, travel, (5, 5, 3))
    stored = packed_answer(chip, travel, values)
    assert len(stored) == layout.size == 8 * result_beats(chip, travel)
    assert (elements(stored, layout) == values.reshape(25, 3) & 0xFFF).all()
    assert in_whole_bytes(np.array([-1, 5]), 12) == b"\xff\x0f\x05\x00"
