"""Read and write a compiled program, see `hwgen.chip.program_file`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import decode
from hwgen.chip.program_file import IMAGE_KEY, check_origin, read_program, write_program
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PACKETS, Opcode, packet_bits
from hwgen.dbpim.facts.program import FORMAT, VERSION, Program, ProgramFacts
from hwgen.errors import FormatError
from hwgen.network import QuantizedNetwork

BEGIN_OF_FACTS = "bytes that begin with the BEGIN of its facts"


def save_program(program: Program, path: Path) -> None:
    """Write the program; the file is whole or absent, and its bytes depend on content only."""
    write_program(program.facts, program.image, path)


def load_program(path: Path) -> Program:
    """Return the program in `path`; every mistake in the file is one sentence."""
    source = str(path)
    facts, image = read_program(path, ProgramFacts, file_format=FORMAT, version=VERSION)
    check_image(image, facts, source)
    for number, plan in enumerate(facts.answers):
        if len(plan.offsets) != facts.images:
            field = f"further.{number - 1}.offsets" if number else "answer.offsets"
            allowed = f"one for each of {facts.images} images"
            given = f"{len(plan.offsets)} of them"
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
    return Program(facts=facts, image=image)


def check_image(image: NDArray[Any], facts: ProgramFacts, source: str) -> None:
    """Refuse bytes that do not begin as a program of these facts does."""
    if image.dtype != np.uint8 or image.ndim != 1:
        raise FormatError(field=IMAGE_KEY, allowed=BEGIN_OF_FACTS, given="others", source=source)
    head = image[: packet_bits(Opcode.BEGIN, 0) // 8].tobytes()
    begin = decode(PACKETS[Opcode.BEGIN], int.from_bytes(head, "little"))
    equal = begin["opcode"] == Opcode.BEGIN and all(
        f"{begin[name]:08x}" == getattr(facts, name)[:8] for name in ("architecture", "network")
    )
    if not equal:
        raise FormatError(field=IMAGE_KEY, allowed=BEGIN_OF_FACTS, given="others", source=source)


def check_match(program: Program, arch: Arch, network: QuantizedNetwork) -> None:
    """Refuse a program that was compiled for another architecture or another network."""
    check_origin(program.facts, arch, network)


def program_hex(program: Program, port_bits: int) -> str:
    """Return the image for Verilog's `$readmemh`: one beat a line."""
    return hex_beats(program.image, port_bits)


def hex_beats(content: NDArray[np.uint8], port_bits: int) -> str:
    """Return bytes for `$readmemh`: one beat a line, its lowest byte last, the tail zeros."""
    size = port_bits // 8
    whole = content.tobytes() + bytes(-len(content) % size)
    beats = (whole[start : start + size] for start in range(0, len(whole), size))
    return "".join(f"{beat[::-1].hex()}\n" for beat in beats)
