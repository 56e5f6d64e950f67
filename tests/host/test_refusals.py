"""What a host and `hwgen build --pins` refuse, a sentence each; no chip is simulated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import api
from hwgen.errors import ArgumentError, DataError, LineError
from hwgen.host import Host
from tests.host.test_link import Faulty
from verif.reference.frames import Device

CHIP, NETWORK = "dbpim/tiny", "digits_small_cnn"
ID_WORD = int(api.load_architecture(CHIP).parameters.digest[:8], 16)
IMAGES = np.zeros((1, 8, 8, 1), np.uint8)
ID, STATUS, ERROR, INTERRUPT = "id", "status", "error", "interrupt"


def host_of(memory_bytes: int, work: Path, **registers: int) -> Host:
    """Return the host of a made-up chip whose registers read these values, else 0."""
    places: dict[int, str] = {}

    def register(offset: int, value: int | None) -> int:
        return {ID: ID_WORD, **registers}.get(places.get(offset, ID), 0)

    device = Device(register, bytearray(memory_bytes))
    line: Any = Faulty(device, bytes, 0)
    host = Host(line, CHIP, context=api.Context(console=None, work=work))
    places.update({offset: name for name, offset in host._places.items()})
    return host


def test_another_chip_is_told_by_its_id(tmp_path: Path) -> None:
    words = f"the chip must be tiny with id {ID_WORD:#010x}, got 0x00000005 "
    with pytest.raises(LineError, match=words):
        host_of(4096, tmp_path, id=5)


@pytest.mark.promise(
    "a host refuses a network that does not fit the memory of the chip, before it sends"
)
def test_a_memory_that_is_too_small(tmp_path: Path) -> None:
    host = host_of(1 << 14, tmp_path)
    with pytest.raises(DataError) as error:
        host.load(NETWORK)
    assert str(error.value).startswith(
        "program, image and answer must fit the memory of the chip, 16,384 bytes, got 2"
    )
    with pytest.raises(DataError, match="load must be called before run"):
        host.run(IMAGES)


def test_a_run_that_fails_or_goes_on(tmp_path: Path) -> None:
    host = host_of(1 << 15, tmp_path, interrupt=1, status=4, error=2)
    host.load(NETWORK)
    with pytest.raises(LineError, match=r"must end a run without an error, got [a-z_]+ \("):
        host.run(IMAGES)
    with pytest.raises(DataError, match=r"mode must be 0 to 0 \(1.0x\), got 1"):
        host.run(IMAGES, mode=1)
    busy = host_of(1 << 15, tmp_path)
    busy.load(NETWORK)
    with pytest.raises(LineError, match="must end a run within 0 s, got one that goes on"):
        busy.run(IMAGES, seconds=0)


@pytest.mark.promise("hwgen build --pins refuses what cannot be, and writes nothing then")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pins": "usb"}, "pins must be"),
        ({"pins": "uart", "memory": 9000}, "memory must be a power of two, got 9000"),
        ({"pins": "uart", "memory": 512}, "memory must be"),
        ({"memory": 8192}, "memory must be given with pins, got 8192"),
        ({"pins": "spi", "bit_cycles": 9}, "bit_cycles must be given with pins uart, got 9"),
        ({"pins": "uart", "bit_cycles": 3}, "bit_cycles must be"),
    ],
)
def test_build_refuses(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=said):
        api.build(CHIP, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_build_behind_a_line_has_the_registers_and_no_bus(tmp_path: Path) -> None:
    report = api.build(CHIP, tmp_path / "out", pins="spi", prefix="mine", memory=8192)
    assert report.top == "mine_spi"
    assert {"mine.rdl", "hwgen_mine.h", "mine_line_cells_1024x8.v"} <= set(report.files)
    assert not [name for name in report.files if "axi" in name or name.endswith(".sdc")]
