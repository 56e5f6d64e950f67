"""Programs on disk: whole, the same bytes every time, and everything foreign is one sentence."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.instructions import PACKETS, VERSION, Opcode
from hwgen.dbpim.facts.program import (
    AnswerPlan,
    ImagePlan,
    MemoryPlace,
    Placement,
    Program,
    ProgramFacts,
    StepPlan,
)
from hwgen.dbpim.facts.program_file import check_match, load_program, program_hex, save_program
from hwgen.dbpim.facts.stream import encode_header
from hwgen.errors import FormatError, OutputError
from hwgen.files.digests import digest_of_array
from hwgen.network.file import load_network

NETWORK = load_network(Path("configs/networks/digits_small_cnn.npz"))
ARCH = load_arch(Path("configs/dbpim/small.yaml"))
PLACEMENT = Placement(
    base=0,
    row_pitch=4,
    channel_words=1,
    image_rows=8,
    image_columns=0,
    first=[0, 8],
    rows=[8, 8],
)
CONV = StepPlan(
    name="conv.0",
    layer="conv",
    fused=[],
    inputs=["input"],
    kind="conv",
    op="conv",
    images=(0, 2),
    rows=(0, 8),
    whole_words=True,
    output=PLACEMENT,
    memory=None,
    sets=2,
    share=1,
    filter_groups=2,
    chunks=1,
    tiles=2,
    rows_loaded=5,
    weight_rows=5,
    k=28,
    kept=0.5,
    positions=64,
    filters=10,
)
LOAD = replace(
    CONV,
    name="load",
    layer="input",
    inputs=[],
    kind="load",
    op="load",
    memory=MemoryPlace(space="image", offset=0, size=128),
)
FACTS = ProgramFacts(
    format="hwgen.dbpim.program",
    version=4,
    network=NETWORK.digest,
    network_name=NETWORK.graph.name,
    architecture=ARCH.digest,
    architecture_name=ARCH.name,
    images=2,
    image=ImagePlan(shape=(8, 8, 1), pixel_bytes=1, stride=64),
    answer=AnswerPlan(layer="head", shape=(1, 1, 10), raw=True, offsets=[0, 40], size=40),
    scratch_bytes=0,
    steps=[LOAD, CONV],
)


def image(**changed: int) -> np.ndarray:
    """Return BEGIN, one END after it."""
    fields = {field.name: 0 for field in PACKETS[Opcode.BEGIN] if field.name != "opcode"}
    fields |= {"version": VERSION, "architecture": ARCH.id_word}
    fields |= {"network": int(NETWORK.digest[:8], 16)} | changed
    begin = encode_header(Opcode.BEGIN, fields, ARCH)
    return np.frombuffer(begin + encode_header(Opcode.END, {}, ARCH), np.uint8)


PROGRAM = Program(facts=FACTS, image=image())


def write(path: Path, facts: object = None, **arrays: np.ndarray) -> Path:
    """Write a file with the program's arrays, some of them replaced."""
    text = facts if isinstance(facts, bytes) else json.dumps(facts or plain()).encode()
    content = {"facts": np.frombuffer(text, np.uint8), "image": PROGRAM.image} | arrays
    digest = digest_of_array(np.asarray(content["image"])).encode()
    content["digest"] = np.frombuffer(digest, np.uint8)
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    return path


def plain(**changed: object) -> dict[str, object]:
    """Return the facts as JSON has them."""
    return json.loads(json.dumps(asdict(FACTS))) | changed


@pytest.mark.promise("a program file has the same bytes every time, and loads as it was saved")
def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "program.npz"
    save_program(PROGRAM, path)
    loaded = load_program(path)
    assert loaded.facts == FACTS
    np.testing.assert_array_equal(loaded.image, PROGRAM.image)
    assert [file.name for file in path.parent.iterdir()] == ["program.npz"]
    check_match(loaded, ARCH, NETWORK)


def test_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_program(PROGRAM, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="the program must be writable at"):
        save_program(PROGRAM, tmp_path / "file" / "program.npz")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="the program must be writable at"):
        save_program(PROGRAM, tmp_path / "taken")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["file", "taken"]


def refused(path: Path) -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(FormatError) as error:
        load_program(path)
    message = str(error.value)
    assert message.endswith(f" ({path})")
    assert "\n" not in message
    return message.removesuffix(f" ({path})")


WHOLE = "the program must be a whole hwgen.dbpim.program file (.npz), got"
INSIDE = "the program must be a hwgen.dbpim.program file with facts, image and digest inside, got"
OTHERS = "image must be bytes that begin with the BEGIN of its facts, got others"


@pytest.mark.promise(
    "a damaged stream, a foreign file and a program for another chip are one sentence each"
)
def test_files_that_are_no_programs(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent.npz") == f"{WHOLE} no file"
    (tmp_path / "text.npz").write_text("not a program")
    assert refused(tmp_path / "text.npz") == f"{WHOLE} a truncated or foreign file"
    whole = write(tmp_path / "whole.npz").read_bytes()
    for size in (0, 4, 100, len(whole) - 1):
        (tmp_path / "cut.npz").write_bytes(whole[:size])
        assert refused(tmp_path / "cut.npz") == f"{WHOLE} a truncated or foreign file"
    (tmp_path / "flipped.npz").write_bytes(whole.replace(b"conv.0", b"conv.1"))
    assert refused(tmp_path / "flipped.npz") == f"{WHOLE} a damaged file"
    assert refused(Path("configs/networks/digits_small_cnn.npz")).startswith(f"{INSIDE} conv1.bias")
    path = write(tmp_path / "one.npz", image=None)
    assert refused(path) == f"{INSIDE} digest, facts"


def test_facts_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "program.npz"
    assert refused(write(path, b"\xff")) == "facts must be JSON, got other bytes"
    cases: dict[str, object] = {
        "format must be hwgen.dbpim.program, got list": [1],
        "format must be hwgen.dbpim.program, got hwgen.network": plain(format="hwgen.network"),
        "version must be 4, got 1": plain(version=1),
        "more must be a known key, got the unknown key more": plain(more=1),
        "images must be a valid integer, got 'two'": plain(images="two"),
    }
    for message, facts in cases.items():
        assert refused(write(path, facts)) == message


def test_images_that_are_not_of_the_facts(tmp_path: Path) -> None:
    path = tmp_path / "program.npz"
    for wrong in (
        image(architecture=1),
        image(network=1),
        image()[16:],
        image()[:0],
        image().astype(np.int8),
        image().reshape(2, -1),
    ):
        assert refused(write(path, image=wrong)) == OTHERS


def test_a_program_for_another(tmp_path: Path) -> None:
    other = replace(ARCH, cores=4)
    with pytest.raises(FormatError) as error:
        check_match(PROGRAM, other, NETWORK)
    assert str(error.value) == (
        f"the program must be compiled for the architecture small ({other.digest[:8]}), got one"
        f" for small ({ARCH.digest[:8]}) (program digits_small_cnn on small)"
    )
    check_match(PROGRAM, replace(ARCH, clock_mhz=1.0, memory_latency_cycles=1), NETWORK)
    graph = replace(NETWORK.graph, name="twin")
    twin = replace(NETWORK, graph=graph)
    with pytest.raises(
        FormatError, match=r"compiled for the network twin .* got one for digits_sm"
    ):
        check_match(PROGRAM, ARCH, twin)


@pytest.mark.parametrize("port_bits", [64, 128, 256, 512])
def test_hex_is_one_beat_a_line(port_bits: int) -> None:
    lines = program_hex(PROGRAM, port_bits).splitlines()
    assert {len(line) for line in lines} == {port_bits // 4}
    back = b"".join(bytes.fromhex(line)[::-1] for line in lines)
    tail = bytes(-PROGRAM.image.size % (port_bits // 8))
    assert back == PROGRAM.image.tobytes() + tail
    assert lines[0].endswith(f"{VERSION:02x}{Opcode.BEGIN:02x}")
    odd = replace(PROGRAM, image=np.array([1, 2, 3], np.uint8))
    assert program_hex(odd, port_bits) == f"{0x030201:0{port_bits // 4}x}\n"
