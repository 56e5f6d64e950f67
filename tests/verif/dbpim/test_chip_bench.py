"""The chip under cocotb, without Python between start and done; a smoke run under Icarus too."""

import json
from pathlib import Path

import numpy as np
import pytest

import verif.dbpim
from golden.network import infer
from hwgen.chip.sim.host_files import beats_text
from hwgen.chip.sim.simulator import MEMORY
from hwgen.data.load import load_dataset
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.rtl.chip import Chip
from hwgen.dbpim.sim.simulate import job_of
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
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
    batch: int = 1,
    waves: Waves | None = None,
) -> None:
    part = Chip(arch=arch)
    sizes = f"localparam PORT_BITS = {arch.port_bits};\nlocalparam BEATS = {MEMORY_BEATS};\n"
    harness = sizes + HARNESS.read_text(encoding="utf-8")
    sources = {MEMORY.name: MEMORY.read_text(encoding="utf-8")}
    bench = build(part, simulator=simulator, harness=harness, extra_sources=sources, waves=waves)
    memory = folder / "memory.hex"
    job = write_job(network, arch, images, memory, folder / "job.json", batch=batch)
    run(
        bench,
        module="verif.dbpim.bench_chip",
        folder=folder,
        settings={**settings(arch), JOB: str(job)},
        plusargs=[f"+memory={memory}", f"+latency={arch.memory_latency_cycles}"],
    )


def write_job(
    network: QuantizedNetwork,
    arch: Arch,
    images: np.ndarray,
    memory: Path,
    file: Path,
    *,
    batch: int,
) -> Path:
    """Write the memory's content and, before anything runs, what is expected of each run."""
    program, maps = compiled(network, arch, batch=batch), infer(network, images)
    job = job_of(arch, program, images)
    addresses = job.addresses
    memory.write_text(beats_text(job.work().content, arch.port_bytes), encoding="ascii")
    model = CycleModel(program, arch)
    expected = []
    for number in range(len(images) // batch):
        of_run = {
            name: found[number * batch : (number + 1) * batch] for name, found in maps.items()
        }
        found = model.predict(of_run)
        expected.append(
            {
                "address": addresses["image"] + number * addresses["image_stride"],
                "answers_address": addresses["answers"] + number * addresses["answers_stride"],
                "cycles": found.cycles,
                "load_cycles": found.load,
                "logits": of_run[network.answer].reshape(batch, -1).tolist(),
            }
        )
    told = {"program": addresses["program"], "scratch": addresses["scratch"], "runs": expected}
    file.write_text(json.dumps({**told, "offsets": program.facts.answer.offsets}))
    return file


@pytest.mark.promise("it runs under cocotb too, which sleeps from start to done, and under Icarus")
@pytest.mark.promise(
    "several images in a run give the maps, answers and cycles that golden and the cycle model"
    " predict"
)
def test_trained_network(tmp_path: Path, waves: Waves | None) -> None:
    network = load_network(CONFIGS / "networks" / "digits_small_cnn.npz")
    images = load_dataset("digits").test_images[:4]
    arch = chip_arch("small")
    run_bench(network, arch, images, tmp_path, simulator="verilator", batch=2, waves=waves)


@pytest.mark.dear
def test_narrow_network_under_icarus(icarus: str, tmp_path: Path) -> None:
    network = directed("narrow")
    images = random_images(network, 1, seed=4)
    run_bench(network, chip_arch("tiny"), images, tmp_path, simulator=icarus)
