"""Lines themselves: pins of a simulation at another rate, torn, or before a mute chip."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hwgen.chip.line import Command, PinFacts
from hwgen.chip.rtl import axi
from hwgen.chip.rtl.emit import emit
from hwgen.chip.rtl.line.few_pins import FewPins
from hwgen.chip.rtl.part import Part
from hwgen.chip.sim.simulator import SHORT
from hwgen.errors import ConfigError, FormatError, LineError
from hwgen.host import serial_line, simulated_line
from hwgen.host.frames import Question
from hwgen.host.link import Link
from verif.toolchain import BUILD_ROOT

PORT_BITS, SIZE, BIT_CYCLES = 64, 1 << 10, 4


class Mute(Part):
    """A chip that takes nothing and asks for nothing."""

    family = "mute"
    clock_ports = ()

    def __init__(self) -> None:
        memory = {**axi.read_manager(PORT_BITS), **axi.write_manager(PORT_BITS)}
        super().__init__(
            {
                "registers": Out(wiring.Signature(axi.lite_subordinate(12))),
                "memory": Out(wiring.Signature(memory)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        return Module()


@pytest.fixture(scope="module", params=["uart", "spi"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Verilog of a mute chip behind a line."""
    kind: Literal["spi", "uart"] = request.param
    pins = PinFacts(line=kind, memory_bytes=SIZE, bit_cycles=BIT_CYCLES)
    chip: Any = Mute()
    made = tmp_path_factory.mktemp("mute") / kind
    emit(FewPins(chip=chip, facts=pins), made, parameters={"pins": asdict(pins)})
    return made


def link_to(folder: Path, **options: Any) -> Any:
    return simulated_line(folder, optimize=SHORT, builds=BUILD_ROOT, **options)


@pytest.mark.promise("a chip that does not answer behind its line, and a torn frame, do no harm")
def test_a_mute_chip_and_a_torn_frame(folder: Path) -> None:
    with link_to(folder) as line:
        link = Link(line)
        assert link.memory_bytes == SIZE
        with pytest.raises(LineError, match="the register id must answer, got silence of the chip"):
            link.get(0, "id")
        link.write(0, bytes(range(256)))
        torn = Question(command=Command.WRITE, address=0, length=64, data=b"\x11" * 64).frame
        line.exchange(torn[:40], 3)
        link.write(100, b"whole")
        found = link.read(0, 256)
    # What comes before the chip has seen the end of a torn frame lands where that frame would.
    assert found[:30] == b"\x11" * 30
    assert found[64:] == bytes(range(64, 100)) + b"whole" + bytes(range(105, 256))


@pytest.mark.promise("a host at another baud rate than the chip says so in one sentence")
@pytest.mark.parametrize("folder", ["uart"], indirect=True)
def test_another_baud_rate(folder: Path) -> None:
    """SPI has a clock of its own."""
    with link_to(folder, bit_cycles=7) as line, pytest.raises(LineError) as error:
        _ = Link(line).memory_bytes
    assert str(error.value) == (
        "the chip must answer when it is asked for the size of its memory, got nothing, 3 times:"
        " is it powered, is each rx wired to the other tx, has it a bit of 7 clocks?"
        " (simulated UART)"
    )


def test_a_folder_of_another_chip_is_refused(tmp_path: Path) -> None:
    words = "the manifest must be that of a chip which hwgen build"
    with pytest.raises(FormatError, match=words), simulated_line(tmp_path):
        pass


@pytest.mark.parametrize(("device", "said"), [("/dev/no-such-port", "the serial port must be one")])
def test_a_port_that_does_not_open_is_a_sentence(device: str, said: str) -> None:
    pytest.importorskip("serial")
    with pytest.raises(LineError, match=said) as error:
        serial_line(device)
    assert device in str(error.value)


@pytest.fixture
def looped() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: its end for the test, and the name of the host's."""
    import os
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_frames_go_over_a_serial_port(looped: tuple[int, str]) -> None:
    import os
    import threading

    from verif.reference.frames import Device

    pytest.importorskip("serial")
    ours, name = looped
    device, question = Device(lambda offset, value: 5), Question(command=Command.SIZE)

    def answer() -> None:
        os.write(ours, device.answer_of(os.read(ours, len(question.frame))))

    chip = threading.Thread(target=answer)
    chip.start()
    line = serial_line(name, baud=1_000_000)
    assert line.exchange(question.frame, question.answer_bytes)[1:5] == (1024).to_bytes(4, "little")
    chip.join()


@pytest.mark.parametrize("baud", [0, 299, 12_000_001])
def test_no_baud_rate_is_refused(baud: int) -> None:
    with pytest.raises(ConfigError, match=f"baud must be 300 to 12000000, got {baud}"):
        serial_line("/dev/null", baud=baud)
