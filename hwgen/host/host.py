"""The host of a chip with few pins: the steps of the driver in C, over a line.

Tests: `tests/host/test_host.py`.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.chip.in_memory import InMemory, aligned
from hwgen.chip.registers import BUSY_BIT, DONE_BIT, REGISTER_BYTES, offsets
from hwgen.chip.registers import Command as Does
from hwgen.commands.architectures import LoadedArchitecture, chip_of
from hwgen.commands.context import Context
from hwgen.commands.images import choose_images
from hwgen.commands.on_chip import subject_of
from hwgen.commands.subject import Subject, program_of
from hwgen.errors import DataError, LineError
from hwgen.host.lines import Line
from hwgen.host.link import Link
from hwgen.host.maps import array_of
from hwgen.report.system.c_header import ROLES

HIGH = REGISTER_BYTES
"""From the lower half of an address to the upper one."""


class Host:
    """A chip at the end of a line.

    line: `serial_line`, `simulated_line`, or any `Line`
    chip: its architecture: a file, a name that ships, or what `hwgen.api.load_architecture` returns
    Raises LineError for a line without a chip, with another chip, and for what a chip does not do.
    """

    def __init__(
        self,
        line: Line,
        chip: str | os.PathLike[str] | LoadedArchitecture,
        *,
        context: Context | None = None,
    ) -> None:
        self._line, self._link = line, Link(line)
        self._context = context or Context(console=None)
        self._chip = chip_of(self._context, chip)
        arch = self._chip.parameters
        top: Any = self._chip.family.need(Family.verilog).make_chip(arch)
        about = top.interface(name=arch.name, digest=arch.digest, clock_mhz=arch.clock_mhz)
        found = offsets(about.registers)
        self._places = {
            role: found[name] for role, names in ROLES.items() for name in names if name in found
        }
        self._errors = {
            value: name
            for register in about.registers
            if register.name == "error"
            for name, value in register.fields[0].codes
        }
        self._subject: Subject | None = None
        self._program: Any = None
        self.memory_bytes = self._link.memory_bytes
        given = self.register("id")
        if given != about.id_word:
            raise LineError(
                f"the chip must be {arch.name} with id {about.id_word:#010x}, got {given:#010x}"
                f" ({line.name})"
            )

    @property
    def cycles(self) -> int:
        """Clock cycles of the last run, or of the last load."""
        low, high = (self._link.get(self._places["cycles"] + at, "cycles") for at in (0, HIGH))
        return high << 32 | low

    def register(self, role: str) -> int:
        """Return a register by its member in `struct hwgen_map` of the driver in C."""
        return self._link.get(self._places[role], role)

    def load(self, network: str | os.PathLike[str], *, seconds: float = 10.0) -> None:
        """Compile a network for the chip, and send the program.

        seconds: that the chip has to load it
        Raises CompileError and FormatError as `hwgen.api.compile`; DataError for a network with
        states, and for one that does not fit the memory of the chip.
        """
        subject = subject_of(self._context, network, self._chip)
        if subject.network.states:
            raise DataError(
                "a host over a line must be given a network without states, got"
                f" {subject.network.graph.name}, which has {len(subject.network.states)}"
            )
        program = program_of(self._context, subject)
        image = subject.network.graph.input
        memory = self._layout(subject, program, np.zeros((1, *image.shape), image.dtype), mode=0)
        need = self._answer_address(memory) + memory.answer_stride + memory.scratch_bytes
        need = max(need, len(memory.program))
        if need > self.memory_bytes:
            raise DataError(
                "program, image and answer must fit the memory of the chip,"
                f" {self.memory_bytes:,} bytes, got {need:,} ({subject.network_file})"
            )
        self._link.write(0, memory.program)
        self._put_address("program_address", 0)
        if self._keeps_program:
            self._put("unlock", 1)
            self._start(Does.LOAD, seconds)
        self._subject, self._program = subject, program

    def run(
        self, images: NDArray[Any], *, mode: int = 0, seconds: float = 10.0
    ) -> dict[str, NDArray[Any]]:
        """Run images one after the other; return each output: (images, height, width, channels).

        images: integers of the network's input, or real numbers that are quantized to it, NHWC
        mode: number of the network's mode; seconds: that the chip has for an image
        Raises DataError for images of another shape, and before `load`.
        """
        subject = self._subject
        if subject is None:
            raise DataError("load must be called before run, got a chip without a program")
        modes = subject.network.graph.modes
        if not 0 <= mode < len(modes):
            raise DataError(f"mode must be 0 to {len(modes) - 1} ({', '.join(modes)}), got {mode}")
        batch = choose_images(subject.network, images, None)
        found = [
            self._run(
                self._layout(subject, self._program, batch.images[at : at + 1], mode=mode),
                mode,
                seconds,
            )
            for at in range(len(batch.images))
        ]
        return {name: np.stack([each[name] for each in found]) for name in found[0]}

    def _run(self, memory: InMemory, mode: int, seconds: float) -> Mapping[str, NDArray[Any]]:
        """Run one image."""
        image, answer = self._image_address(memory), self._answer_address(memory)
        self._link.write(image, memory.images)
        values = {"unlock": 0, "mode": mode, "images": 1, "interval": memory.interval}
        for role, value in values.items():
            self._put(role, value)
        self._put_address("image_address", image)
        self._put_address("answer_address", answer)
        self._put_address("scratch_address", answer + memory.answer_stride)
        self._start(Does.RUN, seconds)
        subject = self._subject
        assert subject is not None
        maps = subject.network.graph.maps
        return {
            each.name: array_of(
                self._link.read(answer + each.offsets[0], each.layout.size),
                each.layout,
                maps[each.name],
            )
            for each in memory.answers
        }

    @property
    def _keeps_program(self) -> bool:
        """Whether the chip loads a program, and needs it in the memory no more."""
        return "command" in self._places

    def _image_address(self, memory: InMemory) -> int:
        """Return where an image lies: in place of a program that the chip keeps."""
        return 0 if self._keeps_program else aligned(len(memory.program))

    def _answer_address(self, memory: InMemory) -> int:
        """Return where an answer lies: behind the image."""
        return self._image_address(memory) + aligned(memory.image_stride)

    def _layout(
        self, subject: Subject, program: Any, images: NDArray[Any], *, mode: int
    ) -> InMemory:
        """Return the bytes of program and image, and where answers lie."""
        maps = subject.network.graph.maps
        shapes = {
            name: (maps[name].height, maps[name].width, maps[name].channels_in(mode))
            for name in subject.network.graph.outputs
        }
        unknown = {name: [np.zeros(shape, maps[name].dtype)] for name, shape in shapes.items()}
        return subject.family.need(Family.firmware).in_memory(
            program, subject.arch, images, unknown
        )

    def _start(self, does: Does, seconds: float) -> None:
        """Start, and wait for the end."""
        self._put("command", does)
        self._put("interrupt", 1)
        self._put("control", 1, once=True)
        end = time.monotonic() + seconds
        while not self.register("interrupt") & 1:
            if time.monotonic() > end:
                raise LineError(
                    f"the chip must end a run within {seconds:g} s, got one that goes on"
                    f" ({self._line.name})"
                )
        status = self.register("status")
        if status >> BUSY_BIT & 1 or not status >> DONE_BIT & 1:
            code = self.register("error")
            name = self._errors.get(code, f"error {code}")
            raise LineError(
                f"the chip must end a run without an error, got {name} ({self._line.name})"
            )

    def _put_address(self, role: str, address: int) -> None:
        """Write both halves of an address, where the chip has it."""
        if role in self._places:
            self._link.put(self._places[role], address, role)
            self._link.put(self._places[role] + HIGH, 0, role)

    def _put(self, role: str, value: int, *, once: bool = False) -> None:
        """Write a register, where the chip has it."""
        if role in self._places:
            self._link.put(self._places[role], value, role, once=once)
