"""What `hwgen export --c` writes: bytes and constants that agree with program and golden."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import answer
from hwgen import api
from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.export import export_run
from hwgen.commands.families import families
from hwgen.commands.images import choose_images
from hwgen.commands.subject import load_subject
from hwgen.dbpim import DbPim
from hwgen.errors import DataError, FamilyError
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "configs/networks/digits_small_cnn.npz"
IMAGES = 3
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]


def constants(header: Path) -> dict[str, float]:
    found = re.findall(r"^#define HWGEN_NETWORK_(\w+) ([0-9.e-]+)", header.read_text(), re.M)
    return {name: float(value) for name, value in found}


def exported(network: str, arch: str, folder: Path, mode: str | None) -> dict[str, float]:
    api.export(network, arch, folder, images=IMAGES, mode=mode, firmware=True)
    return constants(folder / "hwgen_network.h")


@pytest.mark.promise(
    "export writes program, images and answers as bytes, and their sizes as constants, in one mode"
)
def test_a_program_with_its_images_and_answers(tmp_path: Path) -> None:
    values = exported("digits_small_cnn", "dbpim/small", tmp_path, None)
    network = load_network(DIGITS)
    images = choose_images(network, None, IMAGES).images
    assert values["PROGRAM_BYTES"] == (tmp_path / "program.bin").stat().st_size
    assert values["IMAGE_STRIDE"] % 64 == values["ANSWER_STRIDE"] % 64 == 0
    stored = np.fromfile(tmp_path / "images.bin", np.uint8).reshape(IMAGES, -1)
    assert stored.shape[1] == values["IMAGE_STRIDE"]
    assert (stored[:, : images[0].size] == images.reshape(IMAGES, -1)).all()
    expected = np.fromfile(tmp_path / "expected.bin", "<i4").reshape(IMAGES, -1)
    assert (expected == answer(network, images).reshape(IMAGES, -1)).all()
    assert values["INPUT_SCALE"] == network.graph.input.quantization[0].scale
    shape = [values[f"IMAGE_{side}"] for side in ("HEIGHT", "WIDTH", "CHANNELS")]
    assert tuple(shape) == images.shape[1:]


def test_a_mode_has_its_own_answers(tmp_path: Path) -> None:
    network = load_network(ROOT / "configs/networks/cadnn_digits.npz")
    mode = network.graph.modes[-1]
    values = exported("cadnn_digits", "mram/small", tmp_path, mode)
    images = choose_images(network, None, IMAGES).images
    expected = np.fromfile(tmp_path / "expected.bin", "<i4").reshape(IMAGES, -1)
    golden = answer(network, images, mode=len(network.graph.modes) - 1)
    assert (expected == golden.reshape(IMAGES, -1)).all()
    assert values["MODE"] == len(network.graph.modes) - 1
    assert values["ANSWER_PIXEL_BITS"] >= 32 * values["ANSWER_CHANNELS"]
    assert values["ANSWER_BYTES"] == values["ANSWER_BLOCK_BYTES"]


def test_the_constants_compile(tmp_path: Path) -> None:
    exported("digits_small_cnn", "dbpim/small", tmp_path, None)
    flags = [
        "-std=c99",
        "-pedantic",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-ffreestanding",
        "-c",
        "-o",
        "/dev/null",
    ]
    source = tmp_path / "hwgen_network.c"
    subprocess.run(["gcc", *flags, f"-I{tmp_path}/verilog", source], check=True)
    cpp = tmp_path / "host.cpp"
    cpp.write_text('#include "hwgen_network.h"\nint main() { return hwgen_network.mode; }\n')
    flags = ["-std=c++17", *flags[1:5], "-c", "-o", str(tmp_path / "host.o")]
    subprocess.run(["g++", *flags, f"-I{tmp_path}", f"-I{tmp_path}/verilog", cpp], check=True)
    compiled = [tmp_path / "network.o", tmp_path / "host.o"]
    subprocess.run(
        ["gcc", *STRICT, f"-I{tmp_path}/verilog", "-c", source, "-o", compiled[0]], check=True
    )
    subprocess.run(["g++", *compiled, "-o", tmp_path / "host"], check=True)


def test_several_modes_need_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs mode for a network with several modes, 1\.0x, "):
        api.export("cadnn_digits", "mram/small", tmp_path / "out", firmware=True)
    assert not (tmp_path / "out").exists()


class WithoutFirmware(DbPim):
    """The family without one of its capabilities."""

    firmware = Family.firmware


def test_a_family_without_a_layout_of_its_memory_is_refused(tmp_path: Path) -> None:
    files = (DIGITS, ROOT / "configs/dbpim/tiny.yaml")
    family = replace(families()["dbpim"])
    family.__dict__["family"] = WithoutFirmware()
    subject = replace(load_subject(*files), family=family)
    batch = choose_images(subject.network, None, 1)
    said = "the family dbpim cannot be driven by firmware yet: it has no layout of images"
    with pytest.raises(FamilyError, match=said):
        export_run(Context(console=None), subject, batch, tmp_path / "out", firmware=True)
