"""Programs are for one architecture and one network; what does not fit is one sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.crossbar.compiler import compile_network, step_list, tiling
from hwgen.crossbar.facts import Arch, check_match, load_program, save_program
from hwgen.crossbar.facts.program import BEAT, Program
from hwgen.crossbar.model.record import make_arch
from hwgen.errors import ConfigError, DataError, FormatError
from hwgen.network import QuantizedNetwork
from tests.verif.crossbar.whole import design, joined_design, joined_network, plain_network
from verif.common.drawing import Drawing


def other_network(
    *, bits: int = 8, kernel: int = 3, channels: int = 5, width: int = 6
) -> QuantizedNetwork:
    """Return the plain network with other bits, another window, more channels or columns."""
    drawing = Drawing(2, modes=("full",), shape=(6, width, 3), bits=bits)
    border = (kernel // 2,) * 4
    first = drawing.conv(
        "input", (channels,), kernel=(kernel, kernel), stride=(1, 1), padding=border
    )
    second = drawing.conv(first, (6,), kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))
    return drawing.build(drawing.linear(second, (7,), bits=32))


@pytest.fixture(scope="module")
def arch() -> Arch:
    found = design(plain_network(), copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    return make_arch(found, "plain")


@pytest.fixture(scope="module")
def program(arch: Arch) -> Program:
    return compile_network(plain_network(), arch)


@pytest.mark.promise(
    "a program is for one chip and one network; others, more bits, longer streams are one sentence"
)
def test_what_is_written_is_read(program: Program, tmp_path: Path) -> None:
    save_program(program, tmp_path / "p.npz")
    found = load_program(tmp_path / "p.npz")
    assert found.facts == program.facts
    assert np.array_equal(found.image, program.image)


@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_header_of_others_is_refused(program: Program, tmp_path: Path, place: int) -> None:
    image = program.image.copy()
    image[place] ^= 1
    save_program(replace(program, image=image), tmp_path / "p.npz")
    with pytest.raises(FormatError, match="header of its facts"):
        load_program(tmp_path / "p.npz")


def test_a_program_that_was_cut_off(program: Program, tmp_path: Path) -> None:
    save_program(replace(program, image=program.image[: -BEAT.itemsize]), tmp_path / "p.npz")
    with pytest.raises(FormatError, match="whole beats"):
        load_program(tmp_path / "p.npz")


def test_programs_belong_to_their_chip_and_network(program: Program, arch: Arch) -> None:
    check_match(program, arch, plain_network())
    with pytest.raises(FormatError, match="compiled for the network"):
        check_match(program, arch, plain_network(seed=2))
    with pytest.raises(FormatError, match="compiled for the architecture"):
        check_match(program, replace(arch, power_budget_w=49.0), plain_network())


def test_other_weights_are_another_program(arch: Arch) -> None:
    own, other = (compile_network(plain_network(seed), arch).image for seed in (1, 2))
    assert own.size == other.size
    assert not np.array_equal(own, other)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"channels": 6}, r"out_channels must be 5, which plain was made for, got 6"),
        ({"width": 8}, r"input_columns must be None, which plain was made for, got 8"),
        ({"kernel": 1}, r"must be .*, which plain was made for, got "),
        ({"bits": 16}, r"bits of activations must be at most 8, as plain has them, got 16"),
    ],
)
def test_other_networks_are_refused(arch: Arch, given: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compile_network(other_network(**given), arch)


def test_a_longer_stream_than_the_rings_hold(arch: Arch) -> None:
    assert arch.fabric is not None
    most = arch.fabric.stream.images
    compile_network(plain_network(), arch, images=most)
    with pytest.raises(DataError, match=f"at most {most}, .* rings .*, got {most + 1}"):
        compile_network(plain_network(), arch, images=most + 1)


@pytest.mark.promise("tiling, steps and programs of a chip name the layers of its network")
def test_tiling_and_steps(program: Program, arch: Arch) -> None:
    names = [plan.name for plan in program.facts.layers]
    assert [each.name for each in tiling(program, arch)] == names
    assert [each.layer for each in step_list(program, arch)] == names
    assert tiling(program, arch)[0].rows == 27


def test_a_layer_without_weights_is_not_cut() -> None:
    arch = make_arch(joined_design(), "joined")
    found = [
        each for each in tiling(compile_network(joined_network(), arch), arch) if not each.rows
    ]
    assert found and all((one.sets, one.tiles_n, one.tiles_k) == (1, 0, 0) for one in found)
