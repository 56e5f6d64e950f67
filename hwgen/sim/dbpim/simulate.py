"""Run a program on the RTL of a chip; every feature map follows from the words on its write bus."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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
from hwgen.spec.step import Step

Bytes = NDArray[np.uint8]
Cell = TypeVar("Cell", np.uint8, np.int64)


@dataclass(frozen=True)
class ImageRun:
    """The result of one simulated run; a run has one image.

    image: its index
    cycles, load_cycles, layers: the chip's counters
    retirements: cycles in which the image, each layer, STORE and END retire
    names: of what retires, in the same order
    feature_maps: uint8 (height, width, channels) by layer name, `input` included, the head not
    head: name of the layer whose output is the logits
    logits: int32, read back from memory
    written: int64, the cycle in which each element of a map or of the logits was written
    waves: the file of the waves, if requested
    """

    image: int
    cycles: int
    load_cycles: int
    layers: int
    retirements: Sequence[int]
    names: Sequence[str]
    feature_maps: dict[str, Bytes]
    head: str
    logits: NDArray[np.int32]
    written: dict[str, NDArray[np.int64]]
    waves: Path | None

    @property
    def images(self) -> tuple[int, ...]:
        """Indices of the images of the run."""
        return (self.image,)

    @property
    def maps(self) -> tuple[dict[str, NDArray[Any]], ...]:
        """All maps of each image of the run, the logits as (1, 1, classes)."""
        return ({**self.feature_maps, self.head: self.logits.reshape(1, 1, -1)},)

    @property
    def fused(self) -> tuple[str, ...]:
        """Names of the maps that the chip never stores whole: none."""
        return ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """One step for each retirement; it begins with the retirement before it."""
        begins = [0, *self.retirements]
        return tuple(
            Step(name=name, layer=name, begin=begin, end=end)
            for name, begin, end in zip(self.names, begins, self.retirements, strict=False)
        )

    @property
    def counters(self) -> dict[str, int]:
        """The other counters, by the name of their register."""
        return {"layers": self.layers}

    @property
    def events(self) -> dict[str, int]:
        """Events by name: this chip has none that are counted."""
        return {}

    def written_at(self, image: int, layer: str, element: tuple[int, int, int]) -> int | None:
        """Return the cycle in which (y, x, channel) of a map was written; None: never."""
        cycles = self.written.get(layer)
        return None if cycles is None else int(cycles[element]) or None


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
    """Return the run of each image; all images run one after the other in one simulation.

    images: uint8 NHWC; stall: percent of cycles in which a channel of the memory does nothing
    builds: folder of simulators; None: the user's cache (HWGEN_BUILD_ROOT overrides both)
    say: receives a message before a simulator is built, which takes a minute or more
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
    saved = root / f"waves-{arch.name}"
    with writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix="run-") as scratch:
            runs = run_chip(job, arch, Path(scratch), waves=waves, builds=builds, say=say)
            if waves is not None:
                saved.mkdir(exist_ok=True)
                (Path(scratch) / WAVES_FILE).replace(saved / WAVES_FILE)
    return read_runs(runs, program, arch, waves=None if waves is None else saved / WAVES_FILE)


def read_runs(
    runs: Sequence[Run], program: Program, arch: Arch, *, waves: Path | None = None
) -> list[ImageRun]:
    """Return the runs with their maps; raise SimulationError for a run that did not finish."""
    for run in runs:
        if run.busy:
            raise SimulationError(f"the chip was still busy at the limit (image {run.image})")
        if not run.done:
            code = ErrorCode(run.error).name
            raise SimulationError(f"the chip stopped with the error {code} (image {run.image})")
    return [image_run(run, program, arch, waves) for run in runs]


def image_run(run: Run, program: Program, arch: Arch, waves: Path | None) -> ImageRun:
    """Return one run with its maps."""
    layers = [plan.name for plan in program.facts.layers]
    maps = {name: (data, cycles) for name, data, cycles in feature_maps(run, program, arch)}
    written = {name: cycles for name, (_, cycles) in maps.items()}
    return ImageRun(
        image=run.image,
        cycles=run.cycles,
        load_cycles=run.load_cycles,
        layers=run.layers,
        retirements=run.retired,
        names=["image", *layers, "store", "end"],
        feature_maps={name: data for name, (data, _) in maps.items()},
        head=layers[-1],
        logits=np.array(run.logits, dtype=np.int32),
        written=written | {layers[-1]: logit_cycles(run, program, arch)},
        waves=waves,
    )


def logit_cycles(run: Run, program: Program, arch: Arch) -> NDArray[np.int64]:
    """Return the cycle in which each logit was written, (1, 1, classes); 0: never."""
    cycles = np.zeros(program.facts.classes, dtype=np.int64)
    for write in run.writes:
        if write.raw:
            cycles[write.address : write.address + arch.filters] = write.cycle
    return cycles.reshape(1, 1, -1)


def feature_maps(
    run: Run, program: Program, arch: Arch
) -> Iterator[tuple[str, Bytes, NDArray[np.int64]]]:
    """Yield name, map and write cycles of each layer, as the buffers hold it when it retires."""
    facts = program.facts
    regions = [(INPUT, facts.image_region), *((plan.name, plan.output) for plan in facts.layers)]
    buffer = np.zeros((arch.banks, arch.bank_words, arch.macro.compartments), dtype=np.uint8)
    cycles = np.zeros(buffer.shape, dtype=np.int64)
    writes = iter([*run.writes, None])
    write = next(writes)
    for (name, region), retired in zip(regions, run.retired, strict=False):
        while write is not None and write.cycle <= retired + BUS_CYCLES:
            store(buffer, cycles, write)
            write = next(writes)
        if region is not None:
            yield name, read_region(buffer, region, arch), read_region(cycles, region, arch)


def store(buffer: Bytes, cycles: NDArray[np.int64], write: Write) -> None:
    """Apply one write to the buffer as the banks do, and record the cycle of each byte."""
    if write.raw:
        return
    size = buffer.shape[2]
    data = np.frombuffer((write.data % (1 << 8 * size)).to_bytes(size, "little"), np.uint8)
    enabled = np.array([write.enable >> byte & 1 for byte in range(size)], dtype=bool)
    buffer[write.bank, write.address, enabled] = data[enabled]
    cycles[write.bank, write.address, enabled] = write.cycle


def read_region(buffer: NDArray[Cell], region: Region, arch: Arch) -> NDArray[Cell]:
    """Return the map in a region, (height, width, channels)."""
    y, x, word = np.ogrid[: region.height, : region.width, : region.channel_words]
    bank = (x + arch.bank_skew * y) % arch.banks
    address = region.base + y * region.row_pitch + x // arch.banks * region.channel_words + word
    words: NDArray[Cell] = buffer[bank, address].reshape(region.height, region.width, -1)
    return words[:, :, : region.channels]
