"""The chip under cocotb, without Python between start and done; a smoke run under Icarus too."""

import json
from pathlib import Path

import numpy as np

import verif.dbpim
from golden.network import infer
from hwgen.data.load import load_dataset
from hwgen.model.dbpim import CycleModel
from hwgen.rtl.dbpim.chip import Chip
from hwgen.sim.dbpim.chip_run import Job, beats_text, place
from hwgen.sim.simulator import MEMORY
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.image import pack_image
from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, chip_arch, compiled
from verif.dbpim.component import settings
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images
from verif.runner import Waves, build, run

HARNESS = Path(verif.dbpim.__file__).parent / "chip_harness.v"
MEMORY_BEATS = 1 << 17
JOB = "DBPIM_CHIP_JOB"


def run_bench(
    network: QuantizedNetwork,
    arch: Arch,
    images: np.ndarray,
    folder: Path,
    *,
    simulator: str,
    waves: Waves | None = None,
) -> None:
    part = Chip(arch=arch)
    sizes = f"localparam PORT_BITS = {arch.port_bits};\nlocalparam BEATS = {MEMORY_BEATS};\n"
    harness = sizes + HARNESS.read_text(encoding="utf-8")
    sources = {MEMORY.name: MEMORY.read_text(encoding="utf-8")}
    bench = build(part, simulator=simulator, harness=harness, extra_sources=sources, waves=waves)
    memory = folder / "memory.hex"
    job = write_job(network, arch, images, memory, folder / "job.json")
    run(
        bench,
        module="verif.dbpim.bench_chip",
        folder=folder,
        settings={**settings(arch), JOB: str(job)},
        plusargs=[f"+memory={memory}", f"+latency={arch.memory_latency_cycles}"],
    )


def write_job(
    network: QuantizedNetwork, arch: Arch, images: np.ndarray, memory: Path, file: Path
) -> Path:
    """Write the memory's content and, before anything runs, what is expected of each image."""
    program, maps = compiled(network, arch), infer(network, images)
    packed = [pack_image(image, program.facts, port_bytes=arch.port_bytes) for image in images]
    job = Job(
        program=program.image.tobytes(), images=packed, words=program.facts.classes, latency=1
    )
    content, addresses = place(job)
    memory.write_text(beats_text(content, arch.port_bytes), encoding="ascii")
    model = CycleModel(program, arch)
    expected = []
    for number, logits in enumerate(maps[network.layers[-1].name]):
        found = model.predict([maps[layer.inputs[0]][number] for layer in network.layers])
        expected.append(
            {
                "address": addresses["image"] + number * addresses["image_stride"],
                "logits_address": addresses["logits"] + number * addresses["logits_stride"],
                "cycles": found.cycles,
                "load_cycles": found.load,
                "logits": logits.ravel().tolist(),
            }
        )
    file.write_text(json.dumps({"program": addresses["program"], "images": expected}))
    return file


def test_trained_network(tmp_path: Path, waves: Waves | None) -> None:
    network = load_network(CONFIGS / "networks" / "digits_small_cnn.npz")
    images = load_dataset("digits").test_images[:2]
    run_bench(network, chip_arch("small"), images, tmp_path, simulator="verilator", waves=waves)


def test_narrow_network_under_icarus(icarus: str, tmp_path: Path) -> None:
    network = directed("narrow")
    images = random_images(network, 1, seed=4)
    run_bench(network, chip_arch("tiny"), images, tmp_path, simulator=icarus)
