"""`hwgen synthesize`: the families that offer a synthesis and read graphs."""

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from rich.console import Group, RenderableType

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import Synthesis
from hwgen.chip.synthesis_request import RUN_FILES, OtherSearch
from hwgen.commands.effects import devices_of, labelled
from hwgen.commands.erring import ErringChips
from hwgen.commands.families import families, graphs, offering
from hwgen.commands.fields import (
    Count,
    Data,
    File,
    ImageSize,
    OutFolder,
    Real,
    Scheduler,
    Seed,
    Workers,
    images_of,
    path_of,
)
from hwgen.commands.images import choose_images
from hwgen.commands.request import Says, Working
from hwgen.commands.run import Simulate
from hwgen.errors import FamilyError, FormatError
from hwgen.files import shipped
from hwgen.files.load import read_mapping
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.report.files import report_text
from hwgen.report.run import RunReport
from hwgen.report.tables import run_table

WEIGHTED = ".npz"
"""Suffix of a network that has weights."""
THEN_IMAGES = 4
"""Images that run on a chip that was just found."""


def default_tables() -> list[Path]:
    """Return the table of components that each synthesis reads if none is given; papers do, too."""
    return [family.need(Family.synthesis).COMPONENTS for family in offering(Family.synthesis)]


def synthesis_for(components: Path | None) -> Synthesis:
    """Return the synthesis that reads a table of components; None: the only synthesis."""
    able = [family.need(Family.synthesis) for family in offering(Family.synthesis)]
    if not able:
        raise FamilyError("no family that is installed can be synthesized")
    if components is None:
        if len(able) > 1:
            formats = " or ".join(each.COMPONENTS_FORMAT for each in able)
            raise FamilyError(f"--components must be a table of the format {formats}, got nothing")
        return able[0]
    given = read_mapping(components).get("format")
    for each in able:
        if given == each.COMPONENTS_FORMAT:
            return each
    raise FormatError(
        field="format",
        allowed=" or ".join(each.COMPONENTS_FORMAT for each in able),
        given=given or "nothing",
        source=str(components),
    )


Rules = Annotated[
    Literal["strict", "published"],
    Says("published: as the published tool counts, with its omissions"),
]
Components = Annotated[
    File | None,
    Says(
        "power, latency and area of the parts (.yaml) [default: the table of the family]",
        metavar="FILE",
        default_files=default_tables,
    ),
]
Evaluations = Annotated[
    Count | None,
    Says("designs to try at most, besides rungs [default: by the method]", metavar="N"),
]


@dataclass(frozen=True, kw_only=True)
class SynthesizedChip:
    """Result of a synthesis.

    folder: that holds `files`; report: as `hwgen --schema synthesize` describes it
    within_budget: whether the chip needs no more than the power budget
    table: the report for a terminal
    ran: the report of the run on the Verilog; None: it was not asked for
    """

    folder: Path
    files: tuple[str, ...]
    report: Any
    within_budget: bool
    table: RenderableType
    ran: RunReport | None = None


@dataclass(frozen=True)
class Synthesize(
    Working, command="synthesize", example="vgg16 --power-w 49 --seed 1 --out build/vgg16"
):
    """Find the most efficient accelerator for a network within a power budget.

    Writes architecture.yaml, schedule.npz and report.json into one folder. After an
    interrupt the same command resumes the search. Exit code 1 if the chip needs more than the
    budget, which only the published rules allow.

    --effects, --least-accuracy: of a quantized network, converters may have fewer bits than lose
    nothing, if devices that err so far leave the accuracy. It is measured once for each choice of
    arrays and converters. The chip is the most efficient one, measured again as it is.

    --then-run: of a quantized network, builds the chip and runs images on its Verilog, as
    `hwgen run` does; run.json and run.svg, the schedule as promised and as seen, are written, too.
    Exit code 1 if anything differs.
    """

    network: Annotated[
        File,
        Says(
            "a network that ships, such as vgg16 or digits_small_cnn, an ONNX file, or a quantized"
            " network (.npz)",
            metavar="NETWORK",
            argument=True,
            typed=str,
            complete=lambda: [*graphs().network_names(), *shipped.networks()],
        ),
    ]
    power_w: Annotated[Real, Says("peak power of the whole chip at most", metavar="W")]
    _: KW_ONLY
    image_size: ImageSize = None
    components: Components = None
    rules: Rules = "strict"
    objective: Annotated[
        Literal["image", "stream", "throughput", "latency", "edp"],
        Says(
            "what is made best: the energy of an image alone, or in a steady stream; images a"
            " second in a stream; the time of one image; its energy x delay"
        ),
    ] = "image"
    cells: Annotated[
        Literal["offset", "differential", "any"],
        Says(
            "how weights stand in cells: with an offset, or as the difference of two columns; any:"
            " what is more efficient"
        ),
    ] = "offset"
    identical: Annotated[bool, Says("macros with as many of each component as the fullest has")] = (
        False
    )
    seed: Seed = 1
    evaluations: Evaluations = None
    workers: Workers = 2
    scheduler: Scheduler = None
    time_limit_s: Annotated[
        Annotated[Real, Field(ge=0)] | None,
        Says("seconds of search; the best design until then is the answer", metavar="S"),
    ] = None
    out: OutFolder = None
    effects: Annotated[
        File | None,
        Says("devices that err: a name that ships, or your file (.yaml)", metavar="FILE"),
    ] = None
    least_accuracy: Annotated[
        Annotated[Real, Field(ge=0, le=1)] | None,
        Says("accuracy with --effects at least, such as 0.95", metavar="SHARE"),
    ] = None
    data: Data = None
    images_to_choose: Annotated[
        Count, Says("test images by which choices are measured, at most", metavar="N")
    ] = 500
    images: Annotated[Count, Says("test images of the printed accuracy, at most", metavar="N")] = (
        2000
    )
    effect_seeds: Annotated[Count, Says("chips by which accuracy is measured", metavar="N")] = 5
    then_run: Annotated[
        bool, Says("build the chip of a quantized network (.npz) and run images on its Verilog")
    ] = False

    def other_search(self) -> OtherSearch | None:
        """Return a search whose design stands beside our bound; None: our own search."""
        return None

    def erring_chips(self, family: str) -> ErringChips:
        """Return the chips of a family that err as the file of effects says; it must be given."""
        assert self.effects is not None
        file = Path(self.network_file)
        network = load_network(file)
        return ErringChips(
            context=self.quiet,
            family=families()[family],
            network=network,
            network_file=file,
            batch=labelled(choose_images(network, images_of(self.data), None)),
            devices=devices_of(Path(self.effects), 1),
            workers=self.workers,
            scheduler=self.scheduler,
        )

    def within(self, seconds: float | None) -> Self:
        """Return the same request with another limit of time."""
        return replace(self, time_limit_s=seconds)

    def check(self) -> None:
        """Refuse to run what has no weights, and chips that describe no hardware."""
        for name in ("then_run", "effects"):
            asked = getattr(self, name)
            if asked and Path(self.network_file).suffix != WEIGHTED:
                allowed = f"given with a quantized network ({WEIGHTED})"
                raise self.refusal(name, allowed, self.network)
            if asked and self.rules != "strict":
                raise self.refusal(name, "given with --rules strict", self.rules)
        if self.cells != "offset" and self.rules != "strict":
            raise self.refusal("cells", "offset without --rules strict", self.cells)
        if (self.effects is None) != (self.least_accuracy is None):
            if self.effects is None:
                raise self.refusal("effects", "given with --least-accuracy", "nothing")
            raise self.refusal("least_accuracy", "given with --effects", "nothing")

    @property
    def network_file(self) -> str:
        """The name of a network without weights, or a file; one with weights that ships has one."""
        return str(shipped.networks().get(str(self.network), self.network))

    def run(self) -> SynthesizedChip:
        """Search, and write what was found."""
        synthesis = synthesis_for(path_of(self.components))
        made = synthesis.synthesize_network(self.quiet, self)
        files = made.files
        self.quiet.say(f"{made.folder}: {', '.join(files)}")
        return SynthesizedChip(
            folder=made.folder,
            files=files,
            report=made.report,
            within_budget=made.within_budget,
            table=synthesis.synthesis_table(made.report),
            ran=self.ran(made.folder / files[0]) if self.then_run else None,
        )

    def ran(self, architecture: Path) -> RunReport:
        """Run images on the chip that was found."""
        report, picture = (architecture.parent / name for name in RUN_FILES)
        simulate = Simulate(
            self.network_file,
            architecture,
            images=THEN_IMAGES,
            engine="rtl",
            plot=picture,
            effects=self.effects,
            context=self.context,
        )
        found = simulate.run()
        assert isinstance(found, RunReport)
        write_text(report, report_text(found), what="report")
        self.quiet.say(f"{architecture.parent}: {', '.join(RUN_FILES)}")
        return found

    def table(self, report: SynthesizedChip) -> RenderableType:
        """Return the chip and what it does."""
        return (
            report.table if report.ran is None else Group(report.table, "", run_table(report.ran))
        )

    def agrees(self, report: SynthesizedChip) -> bool:
        """Return whether the budget holds, and nothing differs in the run."""
        return report.within_budget and (report.ran is None or report.ran.equal is not False)

    def written(self, report: SynthesizedChip) -> Any:
        """Return what --json writes."""
        return report.report
