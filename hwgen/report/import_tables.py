"""The tables of `hwgen import`, of `hwgen info` for such files, and of `hwgen compare`.

Tests: `tests/importers/onnx/test_qonnx.py`.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType

from hwgen.errors import counted
from hwgen.network.verdict import Verdict, said_decibels
from hwgen.report import imports
from hwgen.report.agreement import AgreementReport, Differences
from hwgen.report.tables import NOTHING, number, percent, size, table

RUNS = "runs"
ROUNDING_LINES = {
    "float32": (
        "sums round as the runtime's default kernels do: for chips with"
        " `rounding: [half_up, float32]`, such as paper_float32, which ships; every chip runs"
        " what `--kernels half_up` gives"
    ),
    "tflite": (
        "sums round twice, as LiteRT's own kernels do: squares and products of maps on DB-PIM"
        " chips with `simd_tflite: true`, all others in golden alone; every chip runs what"
        " `--kernels half_up` gives"
    ),
}
"""What a network needs whose sums round in another way than half up."""
AGREEMENT_COLUMNS = ["layer", "kind", "equal", "1 step", "more", "largest"]
AGREEMENT_COLUMNS += ["equal", "1 step", "more", "largest"]


FAR = 10
"""Decibels from the float network, below which an output warns."""
REFUSED = "no:"
"""Begins the remark of a family that runs no such layer."""


def import_table(report: imports.ImportReport) -> RenderableType:
    """Return what was written, and what is not exact in it."""
    content = report.content
    lines = [
        f"{report.network.file}: network {report.network.name}, {report.network.digest[:16]}",
        f"{len(content.layers)} layers of {content.nodes} nodes ({content.kind})",
        *note_lines(content),
        *reading_lines(content, report.network.digest),
        *map(distance_line, report.from_float),
        *content.remarks,
        *(f"left to the host: {line}" for line in content.host),
        *rounding_lines(content),
        *refusing_lines(content),
    ]
    return Group(*lines)


def distance_line(distance: imports.FloatDistance) -> str:
    """Return how far an output is from that of the float file."""
    parts = [] if distance.decibels is None else [f"{distance.decibels:.1f} dB"]
    if distance.classes is not None:
        parts.append(f"equal classes in {percent(distance.classes)}")
    found = ", ".join(parts) or "equal"
    if distance.decibels is not None and distance.decibels < FAR:
        found += f"; warning: below {FAR} dB little of it is left: look at the calibration images"
    return (
        f"beside the float network, on {distance.images} calibration images: output"
        f" {distance.output} {found}"
    )


def note_lines(content: imports.ImportInfo) -> list[str]:
    """Return what differs from the runtime or is not exact, and what `compare` makes of it."""
    lines, verdict = announced_lines(content), content.judged
    if not lines and verdict is not None and verdict.equal:
        lines = ["every number of the file is held exactly"]
    return [*lines, *([] if verdict is None else judged_lines(verdict))]


def judged_lines(verdict: Verdict) -> list[str]:
    """Return what the file says of the network, then a line for each thing that none names."""
    return [judged_line(verdict), *(f"not foreseen: {each}" for each in verdict.unforeseen)]


def judged_line(verdict: Verdict) -> str:
    """Return what the file in its runtime says of the network, and how far its float file is."""
    if verdict.unjudged:
        return f"not judged by {verdict.file}: {verdict.unjudged}"
    by = f", by {', '.join(each for each in (verdict.runtime, verdict.setting) if each)}"
    images = f"of {verdict.images} image{'s' if verdict.images > 1 else ''}"
    found = f"equal in all {number(verdict.elements)} elements {images}"
    if verdict.different:
        first = f", first at node {verdict.first}" if verdict.first else ""
        found = (
            f"differs in {number(verdict.different)} of {number(verdict.elements)} elements"
            f" {images}, at most {verdict.steps} step{'s' if verdict.steps > 1 else ''}{first}"
        )
    away = [
        f"output {each.output} {said_decibels(each.ours)} from the float file (quantized file:"
        f" {said_decibels(each.quantized)})"
        for each in verdict.distances
    ]
    return "; ".join([f"judged by {verdict.file}: {found}{by}", *away])


def announced_lines(content: imports.ImportInfo) -> list[str]:
    """Return the largest effects, then differences; notes of one kind count as one line."""
    kinds: dict[str, imports.ImportNote] = {}
    for note in content.notes:
        known = kinds.get(note.what)
        if known is None or note.steps > known.steps:
            kinds[note.what] = note
    notes = [
        f"not exact: {note.what}; largest effect {note.steps:.4f} steps before rounding"
        f" (node {note.node})"
        for note in kinds.values()
    ]
    differences = counted([difference_line(each) for each in content.differences])
    return [*notes, *differences, *([content.unknown] if content.unknown else [])]


def reading_lines(content: imports.ImportInfo, digest: str = "") -> list[str]:
    """Return how a file was read that its runtime rewrites; digest: of the network, if it is told.

    Nothing where that changes no number.
    """
    if content.unread:
        return [content.unread]
    if not content.as_written:
        return []
    read = f"{content.runtime} rewrites the file before it computes, and is followed"
    if " " in content.as_written:
        return [f"{read}; as it is written it is refused: {content.as_written}"]
    told = f": network {digest[:16]}" if digest else ""
    return [f"{read}{told}; as it is written it is network {content.as_written[:16]}"]


def difference_line(difference: imports.ImportDifference) -> str:
    """Return where the runtime may differ, and by how much."""
    steps = f"{difference.steps} step{'s' if difference.steps > 1 else ''}"
    nodes = f"{difference.nodes} node{'s' if difference.nodes > 1 else ''}"
    what = f"{difference.operator} ({nodes}): {difference.what}"
    return f"a layer may differ by {steps} from the runtime, and the answer by more: {what}"


def rounding_lines(content: imports.ImportInfo) -> list[str]:
    """Return which chips have the roundings of a network, if not all have them."""
    return [line for rounding, line in ROUNDING_LINES.items() if rounding in content.roundings]


def refusing_lines(content: imports.ImportInfo) -> list[str]:
    """Return, where no family runs all layers, the first layer that each refuses, a line each."""
    families = dict.fromkeys(family for layer in content.layers for family in layer.families)
    refused = {
        family: next(
            (each for each in content.layers if each.families[family].startswith(REFUSED)), None
        )
        for family in families
    }
    first = {family: layer for family, layer in refused.items() if layer is not None}
    if not first or len(first) < len(families):
        return []
    return [
        f"runs on no {family} chip: {layer.kind} {layer.name}:"
        f"{layer.families[family].removeprefix(REFUSED)}"
        for family, layer in first.items()
    ]


def import_parts(content: imports.ImportInfo) -> Iterator[RenderableType]:
    """Yield the content of a file that can be imported, or what stands in the way."""
    yield f"network {content.name}, {content.kind}: {content.nodes} nodes"
    if content.refused:
        yield f"{len(content.refused)} nodes cannot be imported:"
        reasons = [node.reason for node in content.refused]
        yield from (f"  {each}" for each in counted(reasons, [n.node for n in content.refused]))
        return
    yield from note_lines(content)
    yield from reading_lines(content)
    yield from (f"left to the host: {line}" for line in content.host)
    yield from rounding_lines(content)
    yield ""
    families = list(content.layers[0].families)
    rows = table(["layer", "kind", "shape", *families], left=3 + len(families))
    for layer in content.layers:
        remarks = [layer.families[family] or RUNS for family in families]
        rows.add_row(layer.name, layer.kind, size(layer.shape), *remarks)
    yield rows


def agreement_table(report: AgreementReport) -> RenderableType:
    """Return a row for each layer: on the same inputs, then end to end; then the answers."""
    lines: list[RenderableType] = [
        f"network {report.network.name} in golden against {report.file.file} in {report.runtime}",
        f"{report.data.images} images of {report.data.name}",
        "",
    ]
    if report.layers:
        rows = table(AGREEMENT_COLUMNS, left=2)
        for each in report.layers:
            rows.add_row(each.name, each.kind, *cells(each.same_inputs), *cells(each.end_to_end))
        lines += ["left: each layer on the runtime's inputs; right: end to end", rows, ""]
    return Group(*lines, *answer_lines(report))


def cells(differences: Differences) -> list[str]:
    """Return the cells of one map."""
    return [
        f"{differences.equal:.3%}",
        number(differences.one_step),
        number(differences.larger),
        number(differences.largest),
    ]


def answer_lines(report: AgreementReport) -> Iterator[str]:
    """Yield how the answers agree, and the first element that differs where none may."""
    if (first := report.first) is not None:
        yield (
            f"first difference: layer {first.layer}, image {first.image}, y {first.y},"
            f" x {first.x}, channel {first.channel}: golden {first.golden}, runtime"
            f" {first.runtime}"
        )
    if report.exact and not report.agrees:
        yield from exit_lines(report)
    elif report.exact and not report.judged.different:
        yield "every element is equal"
    if report.output is not None:
        yield (
            f"answer: {percent(report.output.equal)} of {number(report.output.elements)} elements"
            f" equal, largest difference {report.output.largest}"
        )
    if report.judged.different or not report.exact:
        yield from judged_lines(report.judged)
    yield f"top classes equal: {percent_of_images(report.top_class)}"
    if report.accuracy_golden is not None:
        yield (
            f"accuracy: golden {percent_of_images(report.accuracy_golden)},"
            f" {report.runtime.split(',')[0]} {percent_of_images(report.accuracy_runtime)}"
        )


def exit_lines(report: AgreementReport) -> Iterator[str]:
    """Yield why an element that differs ends the command with 1, and what was known of it."""
    yield "exit code 1: every element must be equal for 0"
    if report.announced:
        shown = " (--maps shows them)" if report.kind == "ONNX" else ""
        yield f"the import says what may differ; on the same inputs no layer does by more{shown}:"
        yield from (f"  {line}" for line in report.announced)
    elif report.announced is not None:
        yield (
            "the import says of no layer that it differs: the network is of another file, or this"
            " is a fault of hwgen"
        )


def percent_of_images(value: float | None) -> str:
    """Return a fraction of images, or a dash."""
    return NOTHING if value is None else f"{value:.2%}"
