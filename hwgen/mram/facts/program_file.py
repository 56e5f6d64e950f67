"""Read and write a compiled program, see `hwgen.chip.program_file`."""

from pathlib import Path

import numpy as np

from hwgen.chip.program_file import IMAGE_KEY, check_origin, read_program, write_program
from hwgen.errors import FormatError
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import FORMAT, VERSION, Program, ProgramFacts
from hwgen.mram.facts.stream import decode_header
from hwgen.network import QuantizedNetwork


def save_program(program: Program, path: Path) -> None:
    """Write the program; the file is whole or absent, and its bytes depend on content only."""
    write_program(program.facts, program.image, path)


def load_program(path: Path) -> Program:
    """Return the program in `path`; every mistake in the file is one sentence."""
    source = str(path)
    facts, image = read_program(path, ProgramFacts, file_format=FORMAT, version=VERSION)
    if image.dtype != np.uint8 or image.ndim != 1:
        raise FormatError(field=IMAGE_KEY, allowed="bytes", given=image.dtype, source=source)
    header = decode_header(image, source=source)
    for name in ("architecture", "network"):
        if f"{header[name]:08x}" != getattr(facts, name)[:8]:
            allowed = "bytes that begin with the header of its facts"
            raise FormatError(field=IMAGE_KEY, allowed=allowed, given="others", source=source)
    return Program(facts=facts, image=image)


def check_match(program: Program, arch: Arch, network: QuantizedNetwork) -> None:
    """Refuse a program that was compiled for another architecture or another network."""
    check_origin(program.facts, arch, network)
