"""Read and write a compiled program: a `.npz` of the image's bytes, their digest, facts as JSON.

Tests: `tests/commands/test_every_field.py`.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.facts import FACTS_KEY, parse_facts
from hwgen.chip.protocols import Architecture, ProgramFacts
from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_array
from hwgen.files.npz import read_npz, write_npz
from hwgen.network import QuantizedNetwork

IMAGE_KEY, DIGEST_KEY = "image", "digest"

Facts = TypeVar("Facts")


def write_program(facts: Any, image: NDArray[np.uint8], path: Path) -> None:
    """Write facts, a dataclass, and image; the file is whole or absent, its bytes of content."""
    text = json.dumps(asdict(facts), indent=1)
    digest = np.frombuffer(digest_of_array(image).encode(), np.uint8)
    arrays = {FACTS_KEY: np.frombuffer(text.encode(), np.uint8), IMAGE_KEY: image}
    write_npz(path, {**arrays, DIGEST_KEY: digest}, what="program")


def read_program(
    path: Path, kind: type[Facts], *, file_format: str, version: int
) -> tuple[Facts, NDArray[np.uint8]]:
    """Return the facts, a `kind`, and the image of a file, which has the digest of the file."""
    source = str(path)
    arrays = read_npz(path, what="program", allowed=f"a whole {file_format} file (.npz)")
    if set(arrays) != {FACTS_KEY, IMAGE_KEY, DIGEST_KEY}:
        given = ", ".join(sorted(arrays)) or "nothing"
        allowed = f"a {file_format} file with {FACTS_KEY}, {IMAGE_KEY} and {DIGEST_KEY} inside"
        raise FormatError(field="the program", allowed=allowed, given=given, source=source)
    facts = parse_facts(
        arrays[FACTS_KEY], kind, file_format=file_format, version=version, source=source
    )
    image, digest = arrays[IMAGE_KEY], arrays[DIGEST_KEY].tobytes()
    if digest_of_array(image).encode() != digest:
        allowed = f"bytes of the digest {digest[:8].decode('ascii', 'replace')}, as compiled"
        given = f"others, of {digest_of_array(image)[:8]}"
        raise FormatError(field=IMAGE_KEY, allowed=allowed, given=given, source=source)
    return facts, image


def check_origin(facts: ProgramFacts, arch: Architecture, network: QuantizedNetwork) -> None:
    """Refuse a program that was compiled for another architecture or another network."""
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
