"""What `hwgen export --c` writes: bytes and constants that agree with program and golden."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import answer, outputs
from hwgen import api
from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.export import export_run, write_firmware
from hwgen.commands.families import families
from hwgen.commands.images import choose_images
from hwgen.commands.subject import load_subject
from hwgen.dbpim import DbPim
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.image import pack_answer
from hwgen.errors import DataError, FamilyError
from hwgen.network.file import load_network, save_network
from tests.verif.dbpim.chips import compiled
from tests.verif.dbpim.test_outputs import RECIPE
from verif.common.drawing import with_outputs
from verif.dbpim.random_network import random_images, random_network

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


@pytest.mark.dear
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


@pytest.mark.dear
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


HOST = """
#include "hwgen_network.h"
#include <stdio.h>
static uint8_t memory[HWGEN_NETWORK_ANSWERS_BYTES];
int main(void)
{
    FILE *file = fopen("answers.bin", "rb");
    if (!file || fread(memory, 1, sizeof memory, file) != sizeof memory)
        return 1;
    for (uint32_t image = 0; image < HWGEN_NETWORK_IMAGES; image++)
        for (uint32_t n = 0; n < hwgen_network.outputs; n++) {
            const struct hwgen_output *output = &hwgen_network.output[n];
            const uint8_t *start = memory + image * hwgen_network.answer_stride;
            for (uint32_t p = 0; p < output->height * output->width; p++)
                for (uint32_t c = 0; c < output->channels; c++)
                    for (uint32_t byte = 0; byte < output->element_bits / 8; byte++)
                        putchar(start[output->offsets[0] +
                                      p / output->block_pixels * output->block_bytes +
                                      p % output->block_pixels * output->pixel_bits / 8 +
                                      c * output->element_bits / 8 + byte]);
        }
    return 0;
}
"""
"""Writes the elements that it finds in memory, output after output."""


@pytest.mark.promise("the C header of an export says where each output of a network lies")
def test_firmware_finds_every_output(tmp_path: Path) -> None:
    network = with_outputs(random_network(RECIPE, seed=3), seed=3)
    save_network(network, tmp_path / "network.npz")
    images = random_images(network, IMAGES, seed=1)
    np.savez(tmp_path / "images.npz", images=images)
    arch, folder = load_arch(ROOT / "configs/dbpim/tiny.yaml"), tmp_path / "out"
    api.export(
        tmp_path / "network.npz",
        ROOT / "configs/dbpim/tiny.yaml",
        folder,
        data=tmp_path / "images.npz",
        images=IMAGES,
        firmware=True,
    )
    values, facts = constants(folder / "hwgen_network.h"), compiled(network, arch).facts
    stride, found = int(values["ANSWER_STRIDE"]), outputs(network, images)
    assert values["OUTPUTS"] == len(network.graph.outputs) > 1
    memory = np.full(int(values["ANSWERS_BYTES"]), 0xA5, np.uint8)
    for image in range(IMAGES):
        for plan in facts.answers:
            packed = np.frombuffer(pack_answer(found[plan.layer][image], plan, arch), np.uint8)
            first = image * stride + plan.offsets[0]
            memory[first : first + len(packed)] = packed
    memory.tofile(tmp_path / "answers.bin")
    (tmp_path / "host.c").write_text(HOST)
    includes = [f"-I{folder}", f"-I{folder}/verilog"]
    sources = [tmp_path / "host.c", folder / "hwgen_network.c"]
    program = tmp_path / "host"
    subprocess.run(["gcc", *STRICT, *includes, *sources, "-o", program], check=True)
    read = subprocess.run([program], cwd=tmp_path, check=True, capture_output=True).stdout
    assert read == (folder / "expected.bin").read_bytes()
    wanted = b"".join(
        found[name][image].astype("<i4" if network.map_of(name).raw else "u1").tobytes()
        for image in range(IMAGES)
        for name in network.graph.outputs
    )
    assert read == wanted


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
    context = Context(console=None)
    said = "the family dbpim cannot be driven by firmware yet: it has no layout of images"
    with pytest.raises(FamilyError, match=said):
        export_run(context, subject, batch, tmp_path / "out", firmware=write_firmware)
