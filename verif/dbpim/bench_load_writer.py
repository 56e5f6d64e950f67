"""Bench of `image_writer`: images of all shapes and pixel sizes, with gaps between beats."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from numpy.typing import NDArray

from golden.dbpim.activation_buffer import address_of, bank_of, place
from hwgen.rtl.dbpim.layouts import bus_write, packet
from hwgen.spec.dbpim.addressing import region_at
from hwgen.spec.dbpim.instructions import PIXEL_BYTES, Opcode
from hwgen.spec.dbpim.program import Region
from verif.common.chances import chances
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack
from verif.stream import Stream, offer, reset

ARCH = arch_from_environment()
CHANNELS = ARCH.macro.compartments
LAYOUT = bus_write(ARCH)
NAMES = ("beats__valid", "beats__ready", "write_valid", "write", "done")
SHAPES = ((1, 1), (1, 9), (7, 1), (5, 6), (2, 32))
SIZES = [size for size in PIXEL_BYTES if size <= CHANNELS]
CORNERS = Corners(
    "one pixel",
    "the image ends inside a beat",
    "the image ends with a beat",
    "a row ends inside a beat",
    "fewer channels than bytes",
)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(shape=SHAPES, pixel_bytes=SIZES, gap=[0.0, 0.5])
async def image_matches_golden(
    dut: Any, shape: tuple[int, int], pixel_bytes: int, gap: float
) -> None:
    """Every word goes where golden places it; a pixel goes in every cycle with a beat."""
    rng = np.random.default_rng(list(shape))
    channels = int(rng.integers(1, pixel_bytes + 1))
    image = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
    region = region_at(3, height=shape[0], width=shape[1], channels=channels, arch=ARCH)
    source = Stream(dut, "image_writer__beats")
    dut.image_writer__header.value = header(region, pixel_bytes)
    await reset(dut, source.valid)
    probe = Probe(dut, "image_writer", NAMES)
    cocotb.start_soon(probe.record())
    await offer(source, beats_of(image, pixel_bytes), chances(rng, gap))
    await FallingEdge(dut.clk)
    check(probe, image, region, ARCH.port_bytes // pixel_bytes)
    row_bytes, size = shape[1] * pixel_bytes, image.shape[0] * image.shape[1] * pixel_bytes
    CORNERS.hit("one pixel", shape == (1, 1))
    CORNERS.hit("the image ends inside a beat", size % ARCH.port_bytes != 0)
    CORNERS.hit("the image ends with a beat", size % ARCH.port_bytes == 0)
    CORNERS.hit("a row ends inside a beat", shape[0] > 1 and row_bytes % ARCH.port_bytes != 0)
    CORNERS.hit("fewer channels than bytes", channels < pixel_bytes)


def header(region: Region, pixel_bytes: int) -> int:
    """Return BEGIN, with the fields that matter here."""
    fields = {
        "image_height": region.height,
        "image_width": region.width,
        "pixel_bytes": pixel_bytes,
        "image_base": region.base,
        "image_row_pitch": region.row_pitch,
    }
    return int(packet(Opcode.BEGIN).const(fields).as_bits())


def beats_of(image: NDArray[np.uint8], pixel_bytes: int) -> list[int]:
    """Return pixels without gaps, in beats of the port."""
    pixels = np.pad(image, ((0, 0), (0, 0), (0, pixel_bytes - image.shape[2])))
    content, size = pixels.tobytes(), ARCH.port_bytes
    return [
        int.from_bytes(content[start : start + size], "little")
        for start in range(0, len(content), size)
    ]


def check(probe: Probe, image: NDArray[np.uint8], region: Region, per_beat: int) -> None:
    """Compare word by word, and the cycles of beats and words."""
    words = place(image, region=region, word_channels=CHANNELS, banks=ARCH.banks)
    positions = list(np.ndindex(region.height, region.width))
    cycles = probe.when("write_valid")
    assert cycles == probe.when("beats__valid"), "a pixel in each cycle that has a beat"
    assert len(cycles) == len(positions), f"{len(cycles)} words for {len(positions)} pixels"
    for number, (cycle, (y, x)) in enumerate(zip(cycles, positions, strict=True)):
        row, is_last = probe.cycles[cycle], number == len(positions) - 1
        write = LAYOUT.from_bits(row["write"])
        bank = bank_of(y, x, banks=ARCH.banks)
        address = address_of(y, x, 0, region=region, banks=ARCH.banks)
        assert (write.bank, write.address) == (bank, address), f"place of pixel {y}, {x}"
        assert write.enable == (1 << CHANNELS) - 1 and not write.raw
        assert tuple(unpack(write.data, bits=8, count=CHANNELS)) == words[bank, address]
        assert row["done"] == is_last, f"done at pixel {y}, {x}"
        takes = is_last or number % per_beat == per_beat - 1
        assert row["beats__ready"] == takes, f"beat of pixel {y}, {x}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
