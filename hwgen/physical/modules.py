"""What a module costs: synthesized once, then kept in the cache with its timing.

A module is synthesized again if its own text, the ports of the modules that it places, the library
or the script changes; its timing follows the models of the modules that it places.
"""

import itertools
import json
import re
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hwgen.chip.sim.cache import Build, build_once, user_cache
from hwgen.errors import DesignError, WorkerError
from hwgen.files.leash import leashed
from hwgen.physical import script as scripts
from hwgen.physical import timing_model as timings
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Memory, Netlist, cell_counts, netlist_of, with_buffers
from hwgen.physical.timing import timing_model
from hwgen.physical.timing_model import TimingModel

RUN = "import sys; from pyosys import libyosys as y; y.run_pass(sys.argv[1], y.Design())"
COST = "cost.json"
FULL_ADDER = ("a", "b", "c", "carry", "sum")
"""Ports of a module that the full adder of the library replaces."""

BEHAVIOUR_WORDS = 2
"""Of the memory that stands for a module without gates."""

Ports = list[tuple[str, str, int]]
"""Name, direction and width of each port."""


@dataclass(frozen=True)
class Source:
    """A module as it was emitted: its text, its ports, and the ports of what it places.

    array: its content is an array, which a macro replaces: its gates are not counted
    adders: full adders among other modules whose text is in its own, and which become part of it
    is_behaviour: it describes what an analog circuit does, and has no gates: see `behaviour`
    """

    name: str
    text: str
    ports: Ports
    places: Mapping[str, Ports]
    array: bool = False
    is_behaviour: bool = False
    adders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Storage:
    """A memory: words, bits of a word."""

    words: int
    bits: int


@dataclass(frozen=True)
class ModuleCost:
    """A module without those that it places.

    logic_um2: gates and registers; buffers_um2: trees of buffers behind nets of many readers
    macros_um2: of a module that has figures in the place of a netlist
    gated: flip-flops behind clock gates; cells: gates by cell of the library
    """

    module: str
    logic_um2: float
    buffers_um2: float
    leakage_uw: float
    flip_flops: int
    gated: int
    memories: tuple[Storage, ...]
    cells: Mapping[str, int]
    timing: TimingModel
    macros_um2: float = 0.0


KEPT = TypeAdapter(ModuleCost)
NO_MACROS: Mapping[str, ModuleCost] = {}


class Modules:
    """The modules of one chip, synthesized with one library.

    sources: by name, each behind those that it places; liberty: text of the library
    macros: those that have figures in the place of a netlist
    builds: folder of the cache; None: the user's cache
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        library: Library,
        liberty: str,
        *,
        macros: Mapping[str, ModuleCost] = NO_MACROS,
        builds: Path | None = None,
    ) -> None:
        self.macros = macros
        self.sources, self.library, self.liberty = sources, library, liberty
        self.builds = builds or user_cache() / "synth"
        self.synthesized: list[str] = []
        self._costs: dict[str, ModuleCost] = {}

    @cached_property
    def netlist_facts(self) -> dict[str, list[Any]]:
        """What the netlist of each module depends on."""
        tools = [scripts.VERSION, version("pyosys"), self.library.digest]
        return {
            name: [
                *(*tools, source.text, sorted(source.ports), sorted(source.places.items())),
                *([source.adders] if source.adders else []),
            ]
            for name, source in self.sources.items()
        }

    def synthesize(self, *, processes: int, done: Callable[[], None] = lambda: None) -> None:
        """Synthesize every module that is not cached, the largest first."""

        def one(name: str) -> None:
            self._netlist_build(name)
            done()

        given = {name for name, source in self.sources.items() if source.is_behaviour}
        mapped = [name for name in self.sources if name not in self.macros.keys() | given]
        largest = sorted(mapped, key=lambda name: -len(self.sources[name].text))
        with ThreadPoolExecutor(processes) as threads:
            futures = [threads.submit(one, name) for name in largest]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                for future in futures:
                    future.cancel()
                raise

    def _netlist_build(self, name: str) -> Build:
        """Return the folder with the netlist of a module."""

        def make(folder: Path) -> None:
            self.synthesized.append(name)
            self._run(name, folder)

        return build_once(
            name,
            self.netlist_facts[name],
            make,
            products=(scripts.NETLIST,),
            builds=self.builds,
        )

    def _run(self, name: str, folder: Path) -> None:
        """Let Yosys write the netlist of a module."""
        source = self.sources[name]
        stubs = (scripts.stub(each, ports) for each, ports in source.places.items())
        files = {
            scripts.MODULE_FILE: source.text,
            scripts.STUB_FILE: "".join(stubs),
            scripts.FLIP_FLOP_FILE: scripts.FLIP_FLOPS,
            scripts.ADDER_FILE: scripts.adder_map(self.library),
            scripts.LIBERTY_FILE: self.liberty,
            "run.ys": scripts.script(
                name, self.library, adders=is_full_adder(source), below=source.adders
            ),
        }
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        run_yosys(folder, name)
        (folder / scripts.LIBERTY_FILE).unlink()

    def netlist(self, name: str) -> Netlist:
        """Return the netlist of a module, with trees of buffers."""
        if self.sources[name].is_behaviour:
            return behaviour(self.sources[name])
        file = self._netlist_build(name).folder / scripts.NETLIST
        content = json.loads(file.read_text(encoding="utf-8"))
        places = self.sources[name].places
        if not places.keys() <= self._costs.keys():
            self.costs()
        readers = {each: self._costs[each].timing.readers for each in places}
        return with_buffers(netlist_of(content, name, self.library), self.library, readers)

    def costs(self) -> dict[str, ModuleCost]:
        """Return what each module costs, with its timing."""
        facts: dict[str, Any] = {}
        for name, source in self.sources.items():
            if name in self.macros:
                self._costs[name] = self.macros[name]
                facts[name] = KEPT.dump_json(self.macros[name]).decode()
                continue
            below = {each: facts[each] for each in source.places}
            own = [timings.VERSION, self.netlist_facts[name], source.array, below]
            own += [BEHAVIOUR_WORDS] if source.is_behaviour else []
            build = build_once(
                f"{name}-cost", own, self._writer(name), products=(COST,), builds=self.builds
            )
            facts[name] = build.folder.name
            self._costs[name] = KEPT.validate_json((build.folder / COST).read_bytes())
        return self._costs

    def _writer(self, name: str) -> Callable[[Path], None]:
        """Return what computes the cost of a module into a folder."""

        def make(folder: Path) -> None:
            (folder / COST).write_bytes(KEPT.dump_json(self._cost(name)))

        return make

    def _cost(self, name: str) -> ModuleCost:
        """Return the cost of a module; those that it places are known."""
        netlist, cells = self.netlist(name), self.library.cells
        models = {each: self._costs[each].timing for each in self.sources[name].places}
        array = self.sources[name].array
        counts = {} if array else dict(cell_counts(netlist, self.library))
        gated, ungated = flip_flops(netlist, self.library)
        return ModuleCost(
            module=name,
            logic_um2=sum(cells[cell].area * count for cell, count in counts.items()),
            buffers_um2=0.0 if array else cells[self.library.buffer].area * netlist.buffers,
            leakage_uw=sum(cells[cell].leakage_uw * count for cell, count in counts.items()),
            flip_flops=gated + ungated,
            gated=gated,
            memories=() if self.sources[name].is_behaviour else stored(netlist),
            cells=counts,
            timing=timing_model(netlist, self.library, models),
        )


def run_yosys(folder: Path, name: str) -> None:
    """Let Yosys do what `run.ys` of a folder says of a module; DesignError where it refuses."""
    log = folder / "log.txt"
    with (
        log.open("w", encoding="utf-8") as out,
        leashed(
            [sys.executable, "-c", RUN, "script run.ys"], folder=folder, out=out, err=out
        ) as run,
    ):
        status = run.wait()
    if status < 0 or status > 128:
        raise WorkerError(
            f"Yosys must finish {name}, got its end by signal {abs(status) % 128}, as where"
            " memory runs out"
        )
    if status:
        text = log.read_text(encoding="utf-8", errors="replace")
        errors = re.findall(r"ERROR: (.*)", text)
        reason = errors[0] if errors else f"exit code {status}"
        raise DesignError(f"Yosys must accept {name}, got {reason}")


def stored(netlist: Netlist) -> tuple[Storage, ...]:
    """Return the memories of a module."""
    return tuple(Storage(each.words, each.bits) for each in netlist.memories)


def behaviour(source: Source) -> Netlist:
    """Return what stands for a module without gates: registers, read as fast as a small memory.

    Its outputs come from the clock, its inputs end there; it has neither area nor leakage.
    """
    fresh = itertools.count()
    inputs, outputs = (
        {
            name: [next(fresh) for _ in range(width)]
            for name, way, width in source.ports
            if way == of
        }
        for of in ("input", "output")
    )
    read = [net for held in outputs.values() for net in held]
    written = [net for name, held in inputs.items() if name != "clk" for net in held]
    cells = Memory("cells", BEHAVIOUR_WORDS, len(read), [(True, [], [], read)], [([], [], written)])
    return Netlist(
        name=source.name,
        inputs=inputs,
        outputs=outputs,
        gates=[],
        memories=[cells],
        placed=[],
        names={},
    )


def is_full_adder(source: Source) -> bool:
    """Whether a module is a full adder by its ports."""
    return tuple(sorted(port for port, _, _ in source.ports)) == FULL_ADDER


def flip_flops(netlist: Netlist, library: Library) -> tuple[int, int]:
    """Return the flip-flops behind clock gates, and the others."""
    gated = {
        gate.pins[pin]
        for gate in netlist.gates
        if library.cells[gate.cell].gate
        for pin in library.cells[gate.cell].outputs
        if pin in gate.pins
    }
    clocks = [
        gate.pins.get(library.cells[gate.cell].clock, -1)
        for gate in netlist.gates
        if library.cells[gate.cell].is_flip_flop
    ]
    behind = sum(1 for clock in clocks if clock in gated)
    return behind, len(clocks) - behind


def sources_of(
    manifest: Mapping[str, Any], texts: Mapping[str, str], arrays: Iterable[str]
) -> dict[str, Source]:
    """Return the modules of a chip, each behind those that it places.

    manifest: `modules` of the emitter's; texts: by file, or by module those that replace it
    """
    own = [name for name in manifest if "." not in name]
    ports: dict[str, Ports] = {
        name: [(p["name"], p["direction"], p["width"]) for p in manifest[name]["ports"]]
        for name in manifest
    }
    found: dict[str, Source] = {}

    def add(name: str) -> None:
        if name in found:
            return
        below = placed_by(manifest, name)
        for each in below:
            add(each)
        # Comments name the chip that a module was written for.
        text = "".join(each for each in texts[name].splitlines(True) if each[:2] != "//")
        found[name] = Source(
            name,
            text,
            ports[name],
            {each: ports[each] for each in below},
            name in arrays,
            bool(manifest[name].get("behaviour")),
        )

    for name in own:
        add(name)
    return found


def flat_source(
    sources: Mapping[str, Source], top: str, macros: Container[str]
) -> dict[str, Source]:
    """Return a module with all that it places as one, behind those modules that stay.

    Arrays, analog circuits and given modules have no gates, so they stay.

    sources: of the module and those below it; macros: modules that are given
    """
    stay = {
        name: source
        for name, source in sources.items()
        if source.array or source.is_behaviour or name in macros
    }
    joined = [source for name, source in sources.items() if name not in stay]
    whole = replace(
        sources[top],
        text="".join(source.text for source in joined),
        places={name: source.ports for name, source in stay.items()},
        adders=tuple(source.name for source in joined if is_full_adder(source)),
    )
    return {**stay, top: whole}


def placed_by(manifest: Mapping[str, Any], name: str) -> dict[str, int]:
    """Return how often a module places each other one; its own submodules are part of it."""
    found: dict[str, int] = {}
    for each, count in manifest[name]["instances"].items():
        inner = placed_by(manifest, each) if "." in each else {each: 1}
        for below, times in inner.items():
            found[below] = found.get(below, 0) + count * times
    return found
