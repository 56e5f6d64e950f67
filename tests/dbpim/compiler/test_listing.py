"""The listing shows what the image holds, and the same network gives the same bytes."""

import re
from pathlib import Path

import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.listing import listing
from hwgen.dbpim.facts.program_file import save_program
from tests.dbpim.compiler.archs import SMALL
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import Recipe, random_network

PACKET = re.compile(r"^([0-9a-f]{8}) +(\d+)  ([A-Z]+)", re.MULTILINE)


@pytest.mark.promise("the listing shows every byte once; the same network gives the same bytes")
def test_every_byte_is_listed_once() -> None:
    program = compile_network(random_network(Recipe(), seed=1), SMALL)
    text = listing(program, SMALL)
    at = 0
    names = []
    for address, size, name in PACKET.findall(text):
        assert int(address, 16) == at
        at += int(size)
        names.append(name)
    assert at == len(program.image)
    instructions = {"LOAD", "CONV", "SIMD", "STORE", "END"}
    steps = [name.lower() for name in names if name in instructions]
    assert steps == [step.kind for step in program.facts.steps]
    assert names[:2] == ["BEGIN", "LOAD"]
    assert names[-2:] == ["STORE", "END"]
    parts = re.search(r"^bytes: (.*)", text, re.MULTILINE)
    assert parts
    assert sum(map(int, re.findall(r"\d+", parts[1]))) == len(program.image)
    rows = sum(step.rows_loaded for step in program.facts.steps)
    assert f"rows:    {rows} of weights" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_tile_in_words() -> None:
    """2 x 2 x 1 inputs and 5 classes: one tile of 4 words, each with one channel."""
    text = listing(compile_network(directed("head_alone"), SMALL), SMALL)
    wanted = (
        "  TILE     cores=0 group=0 start=0.0.0 words=4 selected=4/32 rows=1 cell_columns=22222000"
        " turn=0 first last last_group parameters"
    )
    assert wanted in re.sub(r"\n +", " ", text)
    counts = "1 BEGIN, 1 CONV, 0 SIMD, 1 STORE, 1 END, 1 LOAD, 1 TILE, 0 TAPS, 0 TABLE"
    assert f"packets: {counts}" in text
    assert "masks:   4 of 32 bits select an input" in text


def test_same_bytes_every_time(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        program = compile_network(random_network(Recipe(), seed=2), SMALL)
        path = tmp_path / f"{name}.npz"
        save_program(program, path)
        files.append((path.read_bytes(), listing(program, SMALL)))
    assert files[0] == files[1]


def test_every_step_is_listed() -> None:
    """Each line of the step list has the number, the kind and the name of a step."""
    program = compile_network(directed("residuals"), SMALL)
    text = re.sub(r"\n {13}", " ", listing(program, SMALL))
    for number, step in enumerate(program.facts.steps):
        assert re.search(
            rf"^ *{number}  {step.kind:<5} +{re.escape(step.name)}", text, re.MULTILINE
        )
    assert f"{len(program.facts.steps)} steps for 1 image:" in text
