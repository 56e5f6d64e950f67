"""Read and write a compiled program: one `.npz` of the image's bytes and the facts as JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from hwgen.chip.facts import FACTS_KEY, parse_facts
from hwgen.chip.fields import decode
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PACKETS, Opcode, packet_bits
from hwgen.dbpim.facts.program import FORMAT, VERSION, Program, ProgramFacts
from hwgen.errors import FormatError
from hwgen.files.npz import read_npz, write_npz
from hwgen.network import QuantizedNetwork

IMAGE_KEY = "image"
BEGIN_OF_FACTS = "bytes that begin with the BEGIN of its facts"


def save_program(program: Program, path: Path) -> None:
    """Write the program; the file is whole or absent, and its bytes depend on content only."""
    text = json.dumps(TypeAdapter(ProgramFacts).dump_python(program.facts), indent=1)
    facts = np.frombuffer(text.encode(), np.uint8)
    write_npz(path, {FACTS_KEY: facts, IMAGE_KEY: program.image}, what="program")


def load_program(path: Path) -> Program:
    """Return the program in `path`; every mistake in the file is one sentence."""
    source = str(path)
    arrays = read_npz(path, what="program", allowed=f"a whole {FORMAT} file (.npz)")
    if set(arrays) != {FACTS_KEY, IMAGE_KEY}:
        given = ", ".join(sorted(arrays)) or "nothing"
        allowed = f"a {FORMAT} file with {FACTS_KEY} and {IMAGE_KEY} inside"
        raise FormatError(field="the program", allowed=allowed, given=given, source=source)
    facts = parse_facts(
        arrays[FACTS_KEY], ProgramFacts, file_format=FORMAT, version=VERSION, source=source
    )
    check_image(arrays[IMAGE_KEY], facts, source)
    if len(facts.answer.offsets) != facts.images:
        allowed = f"one for each of {facts.images} images"
        given = f"{len(facts.answer.offsets)} of them"
        raise FormatError(field="answer.offsets", allowed=allowed, given=given, source=source)
    return Program(facts=facts, image=arrays[IMAGE_KEY])


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
    facts = program.facts
    pairs = (
        ("architecture", facts.architecture_name, facts.architecture, arch.name, arch.digest),
        ("network", facts.network_name, facts.network, network.graph.name, network.digest),
    )
    for kind, given_name, given, name, wanted in pairs:
        if given != wanted:
            raise FormatError(
                field="the program",
                allowed=f"compiled for the {kind} {name} ({wanted[:8]})",
                given=f"one for {given_name} ({given[:8]})",
                source=f"program {facts.network_name} on {facts.architecture_name}",
            )


def program_hex(program: Program, port_bits: int) -> str:
    """Return the image for Verilog's `$readmemh`: one beat a line."""
    return hex_beats(program.image, port_bits)


def hex_beats(content: NDArray[np.uint8], port_bits: int) -> str:
    """Return bytes for `$readmemh`: one beat a line, its lowest byte last, the tail zeros."""
    size = port_bits // 8
    whole = content.tobytes() + bytes(-len(content) % size)
    beats = (whole[start : start + size] for start in range(0, len(whole), size))
    return "".join(f"{beat[::-1].hex()}\n" for beat in beats)
