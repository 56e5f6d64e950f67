"""Read and write a compiled program: one `.npz` of the image's bytes and the facts as JSON."""

import json
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from hwgen.chip.facts import FACTS_KEY, parse_facts
from hwgen.errors import FormatError
from hwgen.files.npz import read_npz, write_npz
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import FORMAT, VERSION, Program, ProgramFacts
from hwgen.mram.facts.stream import decode_header
from hwgen.network import QuantizedNetwork

IMAGE_KEY = "image"


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
    image = arrays[IMAGE_KEY]
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
