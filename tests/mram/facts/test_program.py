"""Programs as bytes and on disk, images and answers: there and back, and each mistake."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import DataError, FormatError
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.facts.image import pack_image, pixel_blocks, unpack_answer
from hwgen.mram.facts.program import (
    AnswerPlan,
    ImagePlan,
    MapPlace,
    ModePlan,
    Program,
    ProgramFacts,
    StepPlan,
)
from hwgen.mram.facts.program_file import check_match, load_program, save_program
from hwgen.mram.facts.records import Kind, decode_record
from hwgen.mram.facts.stream import (
    Content,
    LaneParameters,
    decode_program,
    encode_program,
    program_beats,
    section_beats,
)
from hwgen.network.file import load_network

ARCHS = {path.stem: load_arch(path) for path in sorted(Path("configs/mram").glob("*.yaml"))}
TINY, WIDE = ARCHS["tiny"], ARCHS["wide"]
NETWORK = load_network(Path("configs/networks/digits_small_cnn.npz"))
IMAGE = ImagePlan(shape=(2, 4, 3), bits=8, pixel_blocks=2, stride=64)
ANSWER = AnswerPlan(layer="head", shape=(1, 1, 3), raw=True, pixel_blocks=2, stride=64)
STEP = StepPlan(
    name="conv",
    layer="add",
    fused=["conv"],
    inputs=["input"],
    kind="conv",
    op="conv",
    record=1,
    output=MapPlace(bank=1, pixel_blocks=2, shape=(2, 4, 3), first_channel=0, channels=3),
    positions=8,
    kernels=3,
)


def content(arch: Arch, **values: Any) -> Content:
    """Return a small program with random cells."""
    rng = np.random.default_rng(1)
    half = 1 << (arch.accumulator_bits - 1)
    lanes = [LaneParameters(bias=-half, multiplier=65535, shift=47)]
    lanes += [
        LaneParameters(bias=half - 1 - lane, multiplier=0, shift=1) for lane in range(1, arch.block)
    ]
    plain = Content(
        network=int(NETWORK.digest[:8], 16),
        records=[{"kind": Kind.IMAGE}, {"kind": Kind.CONV, "join": 3, "last": 1}],
        first_records=[0, 1],
        parameters=[lanes, lanes[::-1], lanes],
        weights=rng.random((2, arch.sub_arrays, arch.array.columns)) < 0.5,
        image_stride=64,
        answer_stride=128,
    )
    return replace(plain, **values)


def program(arch: Arch = TINY) -> Program:
    facts = ProgramFacts(
        format="hwgen.mram.program",
        version=2,
        network=NETWORK.digest,
        network_name=NETWORK.graph.name,
        architecture=arch.digest,
        architecture_name=arch.name,
        images=1,
        mapping="positions",
        weight_rows=2,
        image=IMAGE,
        answer=ANSWER,
        modes=[ModePlan(name="1.0x", steps=[STEP])],
        segments=[],
    )
    return Program(facts=facts, image=encode_program(content(arch), arch))


@pytest.mark.promise(
    "an MRAM program is read as it was written, and a foreign or damaged one is refused"
)
@pytest.mark.parametrize("arch", ARCHS.values(), ids=lambda arch: arch.name)
def test_a_program_is_what_was_encoded(arch: Arch) -> None:
    given = content(arch)
    image = encode_program(given, arch)
    found = decode_program(image, arch, source="here")
    assert np.array_equal(found.weights, given.weights)
    assert [tuple(word) for word in found.parameters] == [tuple(word) for word in given.parameters]
    assert [
        {name: record[name] for name in ("kind", "join", "last")} for record in found.records
    ] == [
        {"kind": 1, "join": 0, "last": 0},
        {"kind": 2, "join": 3, "last": 1},
    ]
    assert (found.first_records, found.image_stride, found.answer_stride) == ([0, 1], 64, 128)
    size = section_beats(arch)
    rest = program_beats(arch, records=2, parameters=3, weight_rows=2)
    assert len(image) == (size.header + rest) * arch.port_bytes


def test_the_places_of_all_parts() -> None:
    given = content(TINY)
    image, size = encode_program(given, TINY), section_beats(TINY)
    assert image[:8].tobytes() == b"mram\x03\0\0\0"
    record = image[size.header * 8 :][: size.record * 8].tobytes()
    assert decode_record(int.from_bytes(record, "little"), TINY)["kind"] == Kind.IMAGE
    rows = np.unpackbits(image[-2 * 8 * 8 :], bitorder="little").reshape(2, 8, 64)
    assert np.array_equal(rows.astype(bool), given.weights)


def test_a_program_without_weights_brings_tables_only() -> None:
    given = content(TINY, weights=np.zeros((0, 8, 64), bool))
    found = decode_program(encode_program(given, TINY), TINY, source="here")
    assert found.weights.shape == (0, 8, 64)
    assert len(found.records) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"records": [{}] * 65}, "records must be at most 64, got 65"),
        ({"first_records": [0] * 9}, "modes must be at most 8, got 9"),
        ({"weights": np.zeros((49, 8, 64), bool)}, "weight rows must be at most 48, got 49"),
        ({"weights": np.zeros((1, 8, 32), bool)}, r"weights must be rows of \(8, 64\)"),
        ({"parameters": [[LaneParameters(0, 0, 1)]]}, "must hold 2 lanes, got 1"),
        ({"parameters": [[LaneParameters(1 << 31, 0, 1)] * 2]}, "bias must fit 32 bits"),
    ],
)
def test_what_exceeds_the_chip_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_program(content(TINY, **values), TINY)


def test_bytes_of_another_chip_or_length_are_refused() -> None:
    image = encode_program(content(TINY), TINY)
    with pytest.raises(FormatError, match="a program for the architecture wide"):
        decode_program(image, WIDE, source="here")
    with pytest.raises(FormatError, match=f"must be {len(image)} bytes"):
        decode_program(image[:-8], TINY, source="here")
    image = image.copy()
    image[0] ^= 1
    with pytest.raises(FormatError, match="begin with the header of version 3"):
        decode_program(image, TINY, source="here")


def test_a_program_file_there_and_back(tmp_path: Path) -> None:
    given = program()
    save_program(given, tmp_path / "p.npz")
    found = load_program(tmp_path / "p.npz")
    assert found.facts == given.facts
    assert np.array_equal(found.image, given.image)
    check_match(found, TINY, NETWORK)
    with pytest.raises(FormatError, match="compiled for the architecture wide"):
        check_match(found, WIDE, NETWORK)


def test_a_file_whose_bytes_belong_to_another_network_is_refused(tmp_path: Path) -> None:
    given = program()
    other = encode_program(content(TINY, network=1), TINY)
    save_program(replace(given, image=other), tmp_path / "p.npz")
    with pytest.raises(FormatError, match="begin with the header of its facts"):
        load_program(tmp_path / "p.npz")


@pytest.mark.promise(
    "images and answers of an MRAM chip lie in memory as its banks and its answer buffer hold them"
)
def test_a_pixel_takes_a_power_of_two_of_blocks() -> None:
    assert [pixel_blocks(channels, TINY) for channels in (1, 2, 3, 4, 5, 8)] == [1, 1, 2, 2, 4, 4]
    with pytest.raises(ValueError, match="channels must be at most 8, got 9"):
        pixel_blocks(9, TINY)


def test_an_image_is_padded_with_zeros() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(IMAGE.shape)
    packed = np.frombuffer(pack_image(image, IMAGE, TINY), np.uint8).reshape(2, 4, 4)
    assert np.array_equal(packed[..., :3], image)
    assert not packed[..., 3].any()
    wide = np.frombuffer(pack_image(image, IMAGE, WIDE), "<u2").reshape(2, 4, 4)
    assert np.array_equal(wide[..., :3], image)


@pytest.mark.parametrize("image", [np.zeros((2, 4, 2), np.uint8), np.zeros((2, 4, 3), np.int8)])
def test_another_image_is_refused(image: Any) -> None:
    with pytest.raises(DataError, match="an image must be unsigned of shape"):
        pack_image(image, IMAGE, TINY)


def test_values_above_the_bits_of_the_image_are_refused() -> None:
    with pytest.raises(DataError, match="up to 15"):
        pack_image(np.full(IMAGE.shape, 16, np.uint8), replace(IMAGE, bits=4), TINY)


def test_an_answer_is_cut_to_its_channels() -> None:
    words = np.array([-1, 2, 3, 99], "<i4").tobytes()
    assert unpack_answer(words, ANSWER, TINY).tolist() == [[[-1, 2, 3]]]
    values = unpack_answer(
        np.array([1, 2, 255, 9], "<i8").tobytes(), replace(ANSWER, raw=False), WIDE
    )
    assert values.dtype == np.uint16
    assert values.tolist() == [[[1, 2, 255]]]
