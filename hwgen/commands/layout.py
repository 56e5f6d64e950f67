"""`hwgen layout`: a module of a chip as cells of a PDK, placed, routed and drawn.

Tests: `tests/layout/test_layout.py`.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.architectures import Arch, chip_of
from hwgen.commands.fields import LARGEST_SEED, Count, File, Sparsity, Whole
from hwgen.commands.packages import check_package
from hwgen.commands.request import OUTPUT_FOLDER, Says, Working
from hwgen.commands.verilog import MANIFEST, uses, verilog_of
from hwgen.errors import ConfigError, DesignError, with_near
from hwgen.files.folder import replace_folder
from hwgen.report.files import write_report
from hwgen.report.layout import (
    REPORT,
    LayoutCheckReport,
    LayoutClock,
    LayoutReport,
    LayoutWire,
    check_table,
    layout_table,
)
from hwgen.report.layout_plot import CELL, REGISTER, layout_picture
from hwgen.report.types import Source

PACKAGES = ("klayout", "microlane", "coloquinte", "pyosys")
MOST_GATES = 40_000
"""More are refused: the router would take an hour or more, and some GB."""
SECONDS_OF_GATES, GROWTH = 75 / 14_000**1.4, 1.4
"""Routing in CPU s grows so with the gates: 75 s for 14,000."""
PLACED = "placed.json"


@dataclass(frozen=True)
class Layout(
    Working,
    command="layout",
    example="chip.yaml --module NAME --pdk sky130 --out build/layout",
):
    """Lay out a module of a chip: from its Verilog to a GDS, with pip's packages alone.

    The module is mapped flat to cells of the PDK, placed in rows, routed and drawn. Beside the GDS
    stand the netlist of gates without and with power pins, LEF, DEF, SPEF, SPICE, a picture and
    layout.json. Mapping and placement are cached: a second call goes on where the first ended.

    A module of more than 40,000 gates is refused.

    Raises DesignError for a module that finds no room or no way for its wires.
    """

    architecture: Annotated[
        Arch | None,
        Says("an architecture file (.yaml), or its name", argument=True),
    ] = None
    _: KW_ONLY
    out: Annotated[File | None, Says("folder to write, replaced whole", use=OUTPUT_FOLDER)] = None
    module: Annotated[
        str | None, Says("module of the chip, with all that it places", metavar="NAME")
    ] = None
    checked: Annotated[
        File | None,
        Says(
            "check the layout in a folder, in place of all else",
            metavar="FOLDER",
            names=("--check",),
        ),
    ] = None
    cycles: Annotated[Count, Says("of drawn stimuli, with --check", metavar="N")] = 2000
    pdk: Annotated[str, Says("technology, by its name", metavar="NAME")] = "sky130"
    fill: Annotated[
        Annotated[Whole, Field(ge=10, le=80)],
        Says("of the rows that gates take", metavar="PERCENT"),
    ] = 60
    seed: Annotated[
        Annotated[Whole, Field(ge=1, le=LARGEST_SEED)], Says("of placement and routing")
    ] = 1
    sparsity: Sparsity = None

    def check(self) -> None:
        """Refuse what lacks a part or a package, before anything is computed."""
        needed = {"architecture": self.architecture, "module": self.module, "out": self.out}
        for name, given in needed.items():
            if (given is None) != (self.checked is not None):
                allowed = "left out with --check" if self.checked is not None else "given"
                raise self.refusal(name, allowed, "it" if given is not None else "nothing")
        for package in PACKAGES:
            check_package(package)

    def run(self) -> LayoutReport | LayoutCheckReport:
        """Lay out, and write the folder; or check one."""
        if self.checked is not None:
            from hwgen.commands.layout_check import check_layout

            return check_layout(self.quiet, Path(self.checked), self.cycles)
        assert self.architecture is not None and self.module is not None and self.out is not None
        chip = chip_of(self.quiet, self.architecture, self.sparsity)
        folder = verilog_of(self.quiet, chip.family, chip.parameters, name="layout")
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["modules"]
        if self.module not in manifest:
            given = with_near(self.module, manifest, most=3)
            raise ConfigError(
                field="--module", allowed="a module of the chip", given=given, source="command line"
            )
        files = sorted({manifest[name]["file"] for name in uses(manifest, self.module)})
        text = "".join((folder / file).read_text(encoding="utf-8") for file in files)
        source = Source(
            name=chip.parameters.name, file=str(chip.file), digest=chip.parameters.digest
        )
        return Laying(self, self.module, Path(self.out), text).run(source)

    def table(self, report: LayoutReport | LayoutCheckReport) -> RenderableType:
        """Return what was laid out, or what the checks say."""
        if isinstance(report, LayoutCheckReport):
            return check_table(report)
        return layout_table(report)

    def agrees(self, report: LayoutReport | LayoutCheckReport) -> bool:
        """Return whether no check fails."""
        return isinstance(report, LayoutReport) or not report.faults()


@dataclass
class Laying:
    """The stages of a layout.

    text: Verilog of the module and of all that it places
    """

    request: Layout
    module: str
    out: Path
    text: str
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        """Show a stage, and note its time."""
        started = time.process_time()
        with self.request.quiet.progress(f"{what} {self.module}"):
            yield
        self.seconds[name] = round(time.process_time() - started, 1)

    def run(self, architecture: Source) -> LayoutReport:
        """Return the report of a layout whose files are written."""
        from hwgen.layout.lattice import Lattice
        from hwgen.layout.router import Router
        from hwgen.layout.technology import Drawings, technology_of

        request, module, out = self.request, self.module, self.out
        technology = technology_of(request.pdk)
        drawings = Drawings(technology)
        floor = self.floor(technology, drawings)
        with self.stage("route", "routing"):
            lattice = Lattice(technology, floor, drawings.shapes)
            router = Router(lattice, request.seed)
            if not router.run():
                raise DesignError(
                    f"every net of {module} must find its way, got {router.rounds[-1]} in"
                    " conflict: give a smaller --fill or another --seed"
                )
        made: list[LayoutReport] = []

        def fill(folder: Path) -> None:
            from hwgen.layout.output import Output, clocks_of, gates_um2, wires_taken

            with self.stage("draw", "drawing"):
                output = Output(folder, module, lattice, router, drawings)
                drawn = output.write(self.text)
                picture = layout_picture(output.boxes(REGISTER, CELL), *output.size, module)
                (folder / f"{module}.svg").write_text(picture, encoding="utf-8")
            with self.stage("time", "timing"):
                clocks = [LayoutClock(**each) for each in clocks_of(lattice, router)]
            library = technology.library(technology.corners[0])
            gates = floor.netlist.gates
            sites = sum(drawings.shapes[gate.cell].sites for gate in gates)
            shipped = technology.folder.with_suffix(".yaml")
            made.append(
                LayoutReport(
                    format="hwgen.report.layout",
                    version=1,
                    architecture=architecture,
                    module=module,
                    technology=Source(
                        name=technology.name,
                        file=str(shipped),
                        digest=sha256(shipped.read_bytes()).hexdigest(),
                    ),
                    verilog=sha256(self.text.encode()).hexdigest(),
                    folder=str(out),
                    seed=request.seed,
                    gates=len(gates),
                    buffers=floor.netlist.buffers,
                    flip_flops=sum(library.cells[gate.cell].is_flip_flop for gate in gates),
                    cells_um2=gates_um2(floor, library),
                    width_um=output.size[0],
                    height_um=output.size[1],
                    fill=sites / floor.columns / floor.rows,
                    wires=[LayoutWire(**each) for each in wires_taken(technology, drawn)],
                    rounds=router.rounds,
                    clocks=clocks,
                    seconds=self.seconds,
                )
            )
            write_report(made[0], folder / REPORT)

        replace_folder(out, files_of_layout, fill)
        return made[0]

    def floor(self, technology: Any, drawings: Any) -> Any:
        """Return the placed netlist, from the cache if it is there."""
        from hwgen.chip.sim.cache import build_once, user_cache
        from hwgen.layout import mapping, placement
        from hwgen.physical.liberty import liberty_text

        request, usual = self.request, technology.corners[0]
        library, builds = technology.library(usual), user_cache() / "layout"
        name = self.module
        facts = [mapping.VERSION, library.digest, name, self.text]
        with self.stage("map", "mapping"):
            liberty = liberty_text(technology.folder / f"{usual}.lib.gz")
            build = build_once(
                name,
                facts,
                lambda folder: mapping.map_module(folder, name, self.text, library, liberty),
                products=(mapping.NETLIST,),
                builds=builds,
            )
            netlist = mapping.mapped(build.folder, name, library)
        if len(netlist.gates) > MOST_GATES:
            hours = SECONDS_OF_GATES * len(netlist.gates) ** GROWTH / 3600
            raise DesignError(
                f"a layout must have at most {MOST_GATES:,} gates, got {len(netlist.gates):,} of"
                f" {name}, which would take about {hours:.1f} CPU hours: lay out a module in it"
            )

        def place(folder: Path) -> None:
            floor = placement.floor_of(
                netlist,
                library,
                technology,
                drawings.shapes,
                fill=request.fill / 100,
                seed=request.seed,
            )
            text = json.dumps(placement.floor_text(floor))
            (folder / PLACED).write_text(text, encoding="utf-8")

        digest = sha256(repr(technology).encode()).hexdigest()
        with self.stage("place", "placing"):
            build = build_once(
                f"{name}-placed",
                [placement.VERSION, *facts, digest, request.fill, request.seed],
                place,
                products=(PLACED,),
                builds=builds,
            )
        content = json.loads((build.folder / PLACED).read_text(encoding="utf-8"))
        return placement.floor_from(content, netlist)


def files_of_layout(folder: Path) -> set[str]:
    """Return the names of an earlier layout in a folder."""
    if not (folder / REPORT).is_file():
        return set()
    return {path.name for path in folder.iterdir() if path.is_file()}
