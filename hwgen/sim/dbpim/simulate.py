"""Run a program on the RTL of a chip and rebuild every feature map from what its bus stored."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError
from hwgen.sim.cache import Say, build_root, silent, writable
from hwgen.sim.dbpim.chip_run import WAVES_FILE, Job, Run, Write, run_chip
from hwgen.sim.waves import Waves
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.image import pack_image
from hwgen.spec.dbpim.instructions import ErrorCode
from hwgen.spec.dbpim.program import Program, Region
from hwgen.spec.dbpim.timing import BUS_CYCLES
from hwgen.spec.network import INPUT

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class ImageRun:
    """What a simulation of one image showed.

    cycles, load_cycles: the chip's counters
    retirements: cycle of the image's, of each layer's, of STORE's and of END's
    maps: uint8 (height, width, channels) by layer name, `input` among them, without the head's
    logits: int32, read back from memory
    waves: the file of the waves, if they were asked for
    """

    cycles: int
    load_cycles: int
    retirements: Sequence[int]
    maps: dict[str, Bytes]
    logits: NDArray[np.int32]
    waves: Path | None


def simulate(
    arch: Arch,
    program: Program,
    images: Bytes,
    *,
    waves: Waves | None = None,
    stall: int = 0,
    seed: int = 1,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ImageRun]:
    """Return what the chip did with each image, one after the other in one simulation.

    images: uint8 NHWC; stall: percent of cycles in which a channel of the memory does nothing
    builds: folder of simulators; None: the user's cache (HWGEN_BUILD_ROOT overrides both)
    say: is told before a simulator is built, which takes a minute or more
    Raises SimulationError when the chip stops with an error or does not stop at all, OutputError
    when `builds` cannot be written, MissingToolError without Verilator.
    """
    job = Job(
        program=program.image.tobytes(),
        images=[pack_image(image, program.facts, port_bytes=arch.port_bytes) for image in images],
        words=program.facts.classes,
        latency=arch.memory_latency_cycles,
        stall=stall,
        seed=seed,
    )
    root = build_root(builds)
    kept = root / f"waves-{arch.name}"
    with writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix="run-") as scratch:
            runs = run_chip(job, arch, Path(scratch), waves=waves, builds=builds, say=say)
            if waves is not None:
                kept.mkdir(exist_ok=True)
                (Path(scratch) / WAVES_FILE).replace(kept / WAVES_FILE)
    return read_runs(runs, program, arch, waves=None if waves is None else kept / WAVES_FILE)


def read_runs(
    runs: Sequence[Run], program: Program, arch: Arch, *, waves: Path | None = None
) -> list[ImageRun]:
    """Return the runs with their maps; one that stopped early is an error."""
    for run in runs:
        if run.busy:
            raise SimulationError(f"the chip was still busy at the limit (image {run.image})")
        if not run.done:
            code = ErrorCode(run.error).name
            raise SimulationError(f"the chip stopped with the error {code} (image {run.image})")
    return [
        ImageRun(
            cycles=run.cycles,
            load_cycles=run.load_cycles,
            retirements=run.retired,
            maps=dict(feature_maps(run, program, arch)),
            logits=np.array(run.logits, dtype=np.int32),
            waves=waves,
        )
        for run in runs
    ]


def feature_maps(run: Run, program: Program, arch: Arch) -> Iterator[tuple[str, Bytes]]:
    """Yield each map as the buffers hold it when its layer retires."""
    facts = program.facts
    regions = [(INPUT, facts.image_region), *((plan.name, plan.output) for plan in facts.layers)]
    buffer = np.zeros((arch.banks, arch.bank_words, arch.macro.compartments), dtype=np.uint8)
    writes = iter([*run.writes, None])
    write = next(writes)
    for (name, region), retired in zip(regions, run.retired, strict=False):
        while write is not None and write.cycle <= retired + BUS_CYCLES:
            store(buffer, write)
            write = next(writes)
        if region is not None:
            yield name, read_region(buffer, region, arch)


def store(buffer: Bytes, write: Write) -> None:
    """Do to the buffer what the banks do."""
    if write.raw:
        return
    lanes = buffer.shape[2]
    data = np.frombuffer((write.data % (1 << 8 * lanes)).to_bytes(lanes, "little"), np.uint8)
    enabled = np.array([write.enable >> lane & 1 for lane in range(lanes)], dtype=bool)
    buffer[write.bank, write.address, enabled] = data[enabled]


def read_region(buffer: Bytes, region: Region, arch: Arch) -> Bytes:
    """Return the map in a region, (height, width, channels)."""
    y, x, word = np.ogrid[: region.height, : region.width, : region.channel_words]
    bank = (x + arch.bank_skew * y) % arch.banks
    address = region.base + y * region.row_pitch + x // arch.banks * region.channel_words + word
    words: NDArray[Any] = buffer[bank, address]
    return words.reshape(region.height, region.width, -1)[:, :, : region.channels]
