"""`hwgen info`: the content of a file, and how a chip tiles its layers.

Tests: `tests/cli/test_info.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from hwgen.chip.device_levels import LevelTable
from hwgen.chip.effects import FORMAT as EFFECTS
from hwgen.chip.effects import NO_NOISE, UNITS, DeviceEffects, load_effects
from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture, Program
from hwgen.chip.room import Room
from hwgen.commands.context import Context
from hwgen.commands.described import describe_import
from hwgen.commands.families import InstalledFamily, architectures, family_of, graphs
from hwgen.commands.fields import File, ImageSize, Sparsity, path_of
from hwgen.commands.files import is_quantized
from hwgen.commands.judged import judged_once
from hwgen.commands.plan_reports import report_of
from hwgen.commands.prices import Prices
from hwgen.commands.replacing import part_needs
from hwgen.commands.request import OUTPUT_FILE, Says, Working
from hwgen.commands.subject import configuration_of, load_chip, load_subject, program_of
from hwgen.commands.sweep import leaves
from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_array, versions
from hwgen.files.earlier import PICTURE_MARK, PICTURES
from hwgen.files.json_text import plain_json
from hwgen.files.load import read_mapping
from hwgen.files.npz import read_npz
from hwgen.files.output import whole_file
from hwgen.files.shipped import networks, tables, unknown_name
from hwgen.network import INPUT, Layer, QuantizedNetwork
from hwgen.network.densities import FORMAT as DENSITIES
from hwgen.network.densities import MapDensities, WeightDensities, load_densities
from hwgen.network.drawn import digest_of_densities
from hwgen.network.file import GRAPH_KEY, load_network
from hwgen.network.maps import Shape
from hwgen.plan.file import is_plan, load_plan
from hwgen.report import info as reported
from hwgen.report.chip_picture import chip_picture
from hwgen.report.info_tables import info_table
from hwgen.report.plans import PlanReport, plan_table

Kind = Literal["network", "architecture", "program", "graph", "import", "effects", "densities"]

SUFFIX, SVG = ".onnx", ".svg"
YAML = (".yaml", ".yml")
FILES = "a quantized network or a program (.npz), an architecture (.yaml), a TFLite or an ONNX file"
PROGRAM_KEY = "facts"
"""In a program of any family: JSON with its format."""


@dataclass(frozen=True)
class Info(Working, command="info", example="network.npz chip.yaml"):
    """Check a file and print its content; with ARCH, how each layer is tiled for that chip.

    Of a network in another format: its layers, or every node that stands in the way.
    """

    file: Annotated[
        File,
        Says(
            "a quantized network or a program (.npz), an architecture, effects of devices or"
            " densities (.yaml), a TFLite or ONNX file, or the name of a network that ships for"
            " synthesis",
            metavar="FILE",
            argument=True,
        ),
    ]
    architecture: Annotated[
        File | None,
        Says("an architecture: how it tiles each layer", metavar="ARCH", argument=True),
    ] = None
    _: KW_ONLY
    sparsity: Sparsity = None
    parts: Annotated[
        bool, Says("of an architecture: the parts that --replace can replace, and their needs")
    ] = False
    image_size: ImageSize = None
    plot: Annotated[
        File | None,
        Says(
            "of an architecture: its parts as blocks, to scale by the area table (.svg)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=PICTURES,
        ),
    ] = None

    def check(self) -> None:
        """Refuse to list or to draw the parts of what is no architecture."""
        for name in ("parts", "plot"):
            asked = getattr(self, name)
            if asked and (Path(self.file).suffix not in YAML and not is_arch_name(self.file)):
                raise self.refusal(name, "left out for a file that is no architecture", "it")
        if self.plot is not None and Path(self.plot).suffix != SVG:
            raise self.refusal("plot", f"a file that ends with {SVG}", Path(self.plot).name)

    def run(self) -> reported.InfoReport | PlanReport:
        """Read the file."""
        file, arch_file = Path(self.file), path_of(self.architecture)
        read = shipped_file(file)
        if not is_plan(read):
            return self.described(file, read, arch_file)
        if arch_file is not None:
            raise stands_alone(file, arch_file)
        return report_of(load_plan(read), file)

    def described(self, file: Path, read: Path, arch_file: Path | None) -> reported.InfoReport:
        """Return what a file is that is no plan; read: where it lies."""
        sparsity = self.sparsity
        if is_quantized(read):
            if arch_file is not None:
                raise FormatError(
                    field="what stands beside an architecture",
                    allowed="a quantized network or a program (.npz); hwgen import writes one",
                    given="a file of another format",
                    source=str(file),
                )
            about = describe_import(file, judge=partial(judged_once, self.quiet.work))
            return report("import", file, content=about)
        if is_graph(read) and arch_file is None:
            check_name(file)
            return report("graph", file, graph=graphs().graph_info(str(file), self.image_size))
        if read.suffix in YAML:
            described = described_by_format(read)
            if described is not None:
                if arch_file is not None:
                    raise stands_alone(file, arch_file)
                if self.plot is not None:
                    raise self.refusal("plot", "left out for a file that is no architecture", "it")
                return described(file, read)
            return describe_architecture(
                self.quiet,
                file,
                arch_file,
                sparsity,
                with_parts=self.parts,
                plot=path_of(self.plot),
            )
        arrays = read_npz(read, what="file", allowed=FILES)
        if GRAPH_KEY in arrays:
            return describe_network(self.quiet, file, arch_file, sparsity)
        return describe_program(arrays, file, arch_file, sparsity)

    def table(self, report: reported.InfoReport | PlanReport) -> RenderableType:
        """Return the content."""
        if isinstance(report, PlanReport):
            return plan_table(report)
        return info_table(report, graph_parts(report))


def is_arch_name(file: File) -> bool:
    """Return whether a name is that of an architecture that ships."""
    return str(file) in architectures()


def shipped_file(file: Path) -> Path:
    """Return what ships under a name; else the path as it is."""
    if file.exists() or file.suffix:
        return file
    return (networks() | architectures() | tables("effects")).get(str(file), file)


def check_name(file: Path) -> None:
    """Refuse the name of a network for synthesis that none has."""
    known = graphs().network_names()
    if not file.suffix and str(file) not in known:
        raise unknown_name(file, [*networks(), *architectures(), *known], what="the name")


def is_graph(file: Path) -> bool:
    """Return whether a name is that of an ONNX file, or of a network that ships."""
    if file.suffix == SUFFIX:
        return True
    return not file.suffix and not file.exists()


def graph_parts(info: reported.InfoReport) -> Iterable[RenderableType]:
    """Return the tables of a network without weights, or of a chip that is made for one."""
    if info.graph is not None:
        return graphs().graph_parts(info.graph)
    if info.architecture is not None and "fabric" in info.architecture.configuration:
        return graphs().placement_parts(info.architecture.configuration)
    return ()


def stands_alone(file: File, arch_file: Path) -> FormatError:
    """Return the sentence about a file of no network that stands beside an architecture."""
    return FormatError(
        field=f"what stands beside the architecture {arch_file}",
        allowed="a quantized network or a program (.npz)",
        given=f"{file}",
        source="command line",
    )


def described_by_format(file: Path) -> Callable[[Path, Path], reported.InfoReport] | None:
    """Return what describes a YAML file of this format; None: it is to be an architecture."""
    kinds = {EFFECTS: describe_effects, DENSITIES: describe_densities}
    return kinds.get(str(read_mapping(file).get("format")))


def describe_effects(file: Path, read: Path) -> reported.InfoReport:
    """Return how far devices err by a file; read: where it lies."""
    given = load_effects(read)
    parts = ["cells", "converters", "writing"]
    parts += ["levels"] if given.levels else []
    parts += ["read"] if given.read != NO_NOISE else []
    parts += ["supply"] if given.supply else []
    plain = {part: leaves(asdict(getattr(given, part))) for part in parts}
    effects = [
        reported.Effect(
            key=f"{part}.{key}",
            value=float(value),
            unit=UNITS[f"{part}.{key}"],
            source=given.sources.get(f"{part}.{key}") or given.sources.get(part),
        )
        for part, values in plain.items()
        for key, value in values.items()
    ]
    if given.converters.nonlinearity:
        effects.append(nonlinearity_of(given))
    effects += flips_of(given)
    about = reported.EffectsInfo(
        name=given.name,
        device=given.device,
        digest=given.digest,
        effects=effects,
        levels=levels_of(given.levels) if given.levels else [],
        levels_source=given.sources.get("levels"),
    )
    return report("effects", file, effects=about)


def nonlinearity_of(given: DeviceEffects) -> reported.Effect:
    """Return how far the codes of converters are off at most."""
    points = len(given.converters.nonlinearity)
    key, sources = "converters.nonlinearity", given.sources
    return reported.Effect(
        key=key,
        value=given.converters.largest_nonlinearity,
        unit=f"steps of a code at most, by a table of {points} codes",
        source=sources.get(key) or sources.get("converters"),
    )


def flips_of(given: DeviceEffects) -> list[reported.Effect]:
    """Return the share of flipped cells at each voltage that was measured."""
    return [
        reported.Effect(
            key="supply.flips",
            value=point.flipped,
            unit=f"share of the cells, at {point.volts:g} V",
            source=given.sources.get("supply.flips"),
        )
        for point in (given.supply.flips if given.supply else ())
    ]


def levels_of(given: LevelTable) -> list[reported.EffectLevel]:
    """Return the levels of a table, and what golden draws of each."""
    from golden.levels import drawn_level

    return [
        reported.EffectLevel(**asdict(point), good=good, writes=writes, aged=aged)
        for point in given.points
        for good, writes, aged in [drawn_level(point, given)]
    ]


def describe_densities(file: Path, read: Path) -> reported.InfoReport:
    """Return the layers of a file of densities; read: where it lies."""
    given = load_densities(read)
    shapes = {INPUT: ("image", given.graph.input.shape)}
    shapes |= {layer.name: (layer.op, layer.output.shape) for layer in given.graph.layers}
    layers = [
        density_layer(name, kind, shape, given.maps[name], given.weights.get(name))
        for name, (kind, shape) in shapes.items()
    ]
    about = reported.DensitiesInfo(
        name=given.graph.name, digest=digest_of_densities(given), layers=layers
    )
    return report("densities", file, densities=about)


def density_layer(
    name: str, kind: str, shape: Shape, of_map: MapDensities, weights: WeightDensities | None
) -> reported.DensityLayer:
    """Return the densities of one layer."""
    return reported.DensityLayer(
        name=name,
        kind=kind,
        shape=shape,
        zero_planes=float(np.mean(of_map.zero_planes)),
        pruned_blocks=None if weights is None else weights.pruned_blocks,
        digits=None
        if weights is None
        else float(np.dot(weights.digits, np.arange(len(weights.digits)))),
    )


def describe_architecture(
    context: Context,
    file: Path,
    arch_file: Path | None,
    sparsity: str | None,
    *,
    with_parts: bool,
    plot: Path | None = None,
) -> reported.InfoReport:
    """Return the content of an architecture file; plot: the picture of its parts to write."""
    if arch_file is not None:
        raise stands_alone(file, arch_file)
    with context.progress(f"reading the architecture {file}"):
        family, arch = load_chip(file, sparsity)
    if plot is not None:
        write_parts_picture(family, arch, plot)
    memories, arrays = part_needs(family, arch) if with_parts else (None, None)
    about = architecture_info(family, arch)
    return report("architecture", file, architecture=about, memories=memories, arrays=arrays)


def parts_picture(family: InstalledFamily, arch: Architecture) -> str:
    """Return the parts of a chip as blocks in SVG; FamilyError for a family that tells no area."""
    return chip_picture(arch.name, family.name, Prices(family).area_um2(arch))


def write_parts_picture(family: InstalledFamily, arch: Architecture, plot: Path) -> None:
    """Write the picture of the parts of a chip."""
    drawn = parts_picture(family, arch)
    with whole_file(plot, what="picture") as fresh:
        fresh.write_bytes(drawn.encode() + PICTURE_MARK)


def describe_network(
    context: Context, file: Path, arch_file: Path | None, sparsity: str | None
) -> reported.InfoReport:
    """Return what a quantized network file holds and, with an architecture, its tiling."""
    if arch_file is None:
        return report("network", file, network=network_info(load_network(file)))
    subject = load_subject(file, arch_file, sparsity)
    program = program_of(context, subject)
    return report(
        "network",
        file,
        network=network_info(subject.network),
        architecture=architecture_info(subject.family, subject.arch),
        layers=subject.family.need(Family.compiler).tiling(program, subject.arch),
        rooms=rooms_of(subject.family, program, subject.arch),
        steps=subject.family.need(Family.compiler).step_list(program, subject.arch),
    )


def rooms_of(family: InstalledFamily, program: Program, arch: Architecture) -> list[Room] | None:
    """Return how full the memories of a chip are; None: its family does not say."""
    if not family.offers(Family.rooms):
        return None
    found: list[Room] = family.need(Family.rooms).rooms(program, arch)
    return found


def describe_program(
    arrays: dict[str, NDArray[Any]], file: Path, arch_file: Path | None, sparsity: str | None
) -> reported.InfoReport:
    """Return what a program is and, with the architecture it was compiled for, its tiling."""
    family = family_of(format_of(arrays, str(file)), kind="program", source=str(file))
    program = family.need(Family.programs).load_program(file)
    about = program_info(family, program)
    if arch_file is None:
        return report("program", file, program=about)
    _, arch = load_chip(arch_file, sparsity)
    if program.facts.architecture != arch.digest:
        raise FormatError(
            field="the program",
            allowed=f"compiled for the architecture {arch.name} ({arch.digest[:8]})",
            given=f"one for {about.architecture} ({about.architecture_digest[:8]})",
            source=str(file),
        )
    return report(
        "program",
        file,
        program=about,
        architecture=architecture_info(family, arch),
        layers=family.need(Family.compiler).tiling(program, arch),
        rooms=rooms_of(family, program, arch),
        steps=family.need(Family.compiler).step_list(program, arch),
    )


def format_of(arrays: dict[str, NDArray[Any]], source: str) -> object:
    """Return the format that a program names, whatever else is in the file."""
    if PROGRAM_KEY not in arrays:
        return "another file"
    facts = plain_json(arrays[PROGRAM_KEY].tobytes(), field=PROGRAM_KEY, source=source)
    return facts.get("format") if isinstance(facts, dict) else type(facts).__name__


def report(kind: Kind, file: Path, **parts: object) -> reported.InfoReport:
    """Return the report; parts that are not given are null."""
    empty = dict.fromkeys(
        (
            "network",
            "architecture",
            "memories",
            "arrays",
            "program",
            "graph",
            "content",
            "effects",
            "densities",
            "layers",
            "rooms",
            "steps",
        )
    )
    known: dict[str, Any] = {**empty, **parts}
    return reported.InfoReport(
        format="hwgen.report.info",
        version=7,
        kind=kind,
        file=str(file),
        versions=versions(),
        **known,
    )


def network_info(network: QuantizedNetwork) -> reported.NetworkInfo:
    """Return the facts of a quantized network."""
    graph, places = network.graph, network.answer_places
    return reported.NetworkInfo(
        name=graph.name,
        dataset=graph.dataset,
        digest=network.digest,
        preprocessing=graph.preprocessing,
        class_names=graph.class_names,
        input_shape=graph.input.shape,
        modes=list(graph.modes),
        outputs=list(graph.outputs),
        answer_shape=None if places is None else list(places.shape),
        layers=[layer_info(network, layer) for layer in graph.layers],
    )


def layer_info(network: QuantizedNetwork, layer: Layer) -> reported.NetworkLayer:
    """Return the facts of one layer."""
    parameters = network.parameters.get(layer.name)
    weights = None if parameters is None else parameters.weights
    return reported.NetworkLayer(
        name=layer.name,
        kind=layer.op,
        inputs=list(layer.inputs),
        shape=layer.output.shape,
        bits=layer.output.bits,
        stride=getattr(layer, "stride", None),
        weights=None if weights is None else weights.size,
        zero_weights=None if weights is None else float(np.mean(weights == 0)),
    )


def architecture_info(family: InstalledFamily, arch: Architecture) -> reported.ArchitectureInfo:
    """Return the facts of an architecture."""
    return reported.ArchitectureInfo(
        name=arch.name,
        family=family.name,
        digest=arch.digest,
        configuration=configuration_of(arch),
    )


def program_info(family: InstalledFamily, program: Program) -> reported.ProgramInfo:
    """Return the facts of a program."""
    facts = program.facts
    return reported.ProgramInfo(
        network=facts.network_name,
        network_digest=facts.network,
        architecture=facts.architecture_name,
        architecture_digest=facts.architecture,
        family=family.name,
        digest=digest_of_array(program.image),
        bytes=program.image.size,
    )
