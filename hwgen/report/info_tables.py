"""The tables of `hwgen info`, `compile`, `build` and `train`.

Tests: `tests/cli/test_commands.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from hwgen.chip.room import Room
from hwgen.chip.step import PlannedStep
from hwgen.chip.tiling import LayerTiling
from hwgen.report import info, work
from hwgen.report.import_tables import import_parts
from hwgen.report.routed import routed_rows
from hwgen.report.sweep_table import shown
from hwgen.report.tables import NOTHING, number, percent, replaced_lines, size, table
from hwgen.report.training_record import training_state

TILING_COLUMNS = ["layer", "kind", "shape", "stride", "split", "tiles", "tails", "rows"]
TILING_COLUMNS += ["loaded", "unpruned"]


IN_A_TABLE = ("fabric.layers.", "fabric.regions.", "fabric.travels.")
"""Keys whose values stand in the table of the placement."""


def info_table(report: info.InfoReport, graph: Iterable[RenderableType] = ()) -> RenderableType:
    """Return the content of a file; graph: tables of a network without weights, of a placement."""
    parts: list[RenderableType] = []
    if report.network is not None:
        parts += network_parts(report.network)
    parts += graph
    contents: Sequence[tuple[Any, Callable[[Any], Iterable[RenderableType]]]] = (
        (report.content, import_parts),
        (report.effects, effects_parts),
        (report.densities, densities_parts),
        (report.program, program_lines),
    )
    for content, parts_of in contents:
        parts += [] if content is None else parts_of(content)
    if report.architecture is not None:
        parts += [""] if parts else []
        parts += architecture_parts(report.architecture)
    if report.memories is not None:
        parts += ["", memories_table(report.memories)]
    if report.arrays:
        parts += ["", arrays_table(report.arrays)]
    if report.layers is not None:
        parts += ["", *tiling_parts(report.layers)]
    if report.rooms is not None:
        parts += ["", *room_parts(report.rooms)]
    if report.steps is not None:
        parts += ["", *step_parts(report.steps)]
    return Group(*parts)


def effects_parts(effects: info.EffectsInfo) -> Iterator[RenderableType]:
    """Yield a file of effects, number by number."""
    yield f"effects {effects.name}, {effects.digest[:16]}: {effects.device}"
    yield ""
    rows = table(["key", "value", "unit", "source"], left=4)
    for one in effects.effects:
        rows.add_row(one.key, f"{one.value:g}", one.unit, one.source or NOTHING)
    yield rows
    if effects.levels:
        yield ""
        yield levels_table(effects.levels)
        yield f"levels: {effects.levels_source or NOTHING}"


def levels_table(levels: Sequence[info.EffectLevel]) -> RenderableType:
    """Return a row for each level of a device."""
    rows = table(
        ["level", "mean", "deviation", "drift", "of cells", "good", "writes", "mean when used"],
        left=0,
    )
    for one in levels:
        rows.add_row(
            f"{one.level:.3f}",
            percent(one.mean),
            percent(one.deviation),
            f"{one.drift:.4f}",
            f"{one.drift_deviation:.4f}",
            percent(one.good),
            f"{one.writes:.2f}",
            percent(one.aged),
        )
    return rows


def densities_parts(densities: info.DensitiesInfo) -> Iterator[RenderableType]:
    """Yield the layers of a file of densities."""
    yield f"densities {densities.name}, {densities.digest[:16]}"
    yield ""
    rows = table(["layer", "kind", "shape", "zero planes", "pruned", "digits"], left=2)
    for layer in densities.layers:
        rows.add_row(
            layer.name,
            layer.kind,
            size(layer.shape),
            percent(layer.zero_planes),
            percent(layer.pruned_blocks),
            NOTHING if layer.digits is None else f"{layer.digits:.2f}",
        )
    yield rows


def memories_table(memories: Sequence[info.MemoryNeeds]) -> RenderableType:
    """Return the memories of a chip, and what a replacement of each must do."""
    rows = table(["memory", "words", "bits", "written alone", "reads", "read", "address", "while"])
    for one in memories:
        rows.add_row(
            one.name,
            number(one.words),
            number(one.bits),
            number(one.slice_bits),
            number(one.reads),
            "combinational" if one.read_cycles == 0 else "at the edge",
            "one" if one.one_address else "two",
            "old" if one.reads_what_it_writes else "-",
        )
    return Group(rows, "while: what is read of a word in the cycle in which it is written")


def arrays_table(arrays: Sequence[info.ArrayNeeds]) -> RenderableType:
    """Return the arrays of a chip, and what a replacement of each must do."""
    rows = table(["array", "sizes", "ports", "cycles", "row"])
    for one in arrays:
        rows.add_row(
            one.name,
            ", ".join(f"{name} {number(size)}" for name, size in one.sizes.items()),
            ", ".join(f"({pin})" if pin in one.optional else pin for pin in one.pins),
            number(one.cycles),
            "a cycle before" if one.cells == "synchronous" else "with inputs",
        )
    return Group(rows, "ports in brackets: a module may do without them")


def network_parts(network: info.NetworkInfo) -> Iterator[RenderableType]:
    """Yield the facts of a quantized network and its layers."""
    yield f"network {network.name}, {network.digest[:16]}"
    yield f"images: {size(network.input_shape)}" + "".join(
        f"{before}{said}"
        for before, said in ((" of ", network.dataset), ("; ", network.preprocessing))
        if said
    )
    yield f"classes: {', '.join(network.class_names) or NOTHING}"
    if network.answer_shape is not None:
        yield (
            f"answer: {' x '.join(map(str, network.answer_shape))} in the file, in another order"
            f" than the map of {', '.join(network.outputs)}: the host reads answer_places"
        )
    if len(network.modes) > 1:
        yield f"modes: {', '.join(network.modes)}"
    yield ""
    rows = table(["layer", "kind", "reads", "shape", "bits", "stride", "weights", "zero"], left=4)
    for layer in network.layers:
        rows.add_row(
            layer.name,
            layer.kind,
            ", ".join(layer.inputs),
            size(layer.shape),
            number(layer.bits),
            both(layer.stride),
            number(layer.weights),
            percent(layer.zero_weights),
        )
    yield rows


def both(pair: tuple[int, int] | None) -> str:
    """Return a number of rows and one of columns, once if they are equal; a dash for none."""
    return NOTHING if pair is None else "x".join(map(str, dict.fromkeys(pair)))


def program_lines(program: info.ProgramInfo) -> Iterator[str]:
    """Yield the network and the architecture that a program was compiled for."""
    yield f"program of {program.bytes:,} bytes, {program.digest[:16]}"
    yield f"network {program.network}, {program.network_digest[:16]}"
    yield (
        f"architecture {program.architecture} of the family {program.family},"
        f" {program.architecture_digest[:16]}"
    )


def architecture_parts(arch: info.ArchitectureInfo) -> Iterator[RenderableType]:
    """Yield an architecture, key by key."""
    yield f"architecture {arch.name} of the family {arch.family}, {arch.digest[:16]}"
    rows = table(("key", "value"), left=2)
    rows.show_header = False
    for key, value in flat(arch.configuration):
        if not key.startswith(IN_A_TABLE):
            rows.add_row(key, told(value))
    yield rows


def flat(configuration: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value under its dotted key."""
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for place, entry in enumerate(value):
                yield f"{prefix}{key}.{place}", in_one_line(entry)
        else:
            yield f"{prefix}{key}", value


def told(value: object) -> str:
    """Return a value as YAML writes it, a list without its own brackets."""
    if isinstance(value, list | tuple):
        inner = (f"[{told(one)}]" if isinstance(one, list | tuple) else told(one) for one in value)
        return ", ".join(inner) or NOTHING
    return NOTHING if value is None else shown(value)


def in_one_line(entry: Mapping[str, Any]) -> str:
    """Return an entry of a list on one line; keys of one mapping are separated by commas."""
    groups = [
        f"{key}: " + ", ".join(f"{inner} {told(one)}" for inner, one in value.items())
        if isinstance(value, Mapping)
        else f"{key} {told(value)}"
        for key, value in entry.items()
    ]
    return "; ".join(groups)


def tiling_parts(layers: Sequence[LayerTiling]) -> Iterator[RenderableType]:
    """Yield how each layer is cut."""
    yield "tiling: tiles and tails in n (channels) / k (inputs) / m (positions)"
    yield ""
    rows = table(TILING_COLUMNS, left=3)
    for layer in layers:
        weights = layer.rows > 0
        tiles = f"{layer.tiles_n}/{layer.tiles_k}/{layer.tiles_m}"
        tails = f"{layer.tail_n}/{layer.tail_k}/{layer.tail_m}"
        rows.add_row(
            layer.name,
            layer.kind,
            size(layer.shape),
            str(layer.stride),
            f"{layer.sets}x{layer.share}",
            tiles if weights else NOTHING,
            tails if weights else NOTHING,
            number(layer.rows) if weights else NOTHING,
            NOTHING if layer.rows_reloaded is None else f"{layer.rows_reloaded:g}x",
            percent(layer.weights_kept),
        )
    yield rows


def room_parts(rooms: Sequence[Room]) -> Iterator[RenderableType]:
    """Yield how full the memories of a chip are."""
    yield "memories that the program fills, the fullest first"
    yield ""
    rows = table(["memory", "used", "of", "full"], left=1)
    for room in rooms:
        full = percent(room.used / room.size)
        rows.add_row(room.what, number(room.used), number(room.size), full)
    yield rows


def step_parts(steps: Sequence[PlannedStep]) -> Iterator[RenderableType]:
    """Yield the steps of a program."""
    yield "steps: images and rows from the first one up to the one before the second number"
    yield ""
    rows = table(
        ["step", "layer", "kind", "operation", "images", "rows", "cores", "output"], left=4
    )
    for step in steps:
        first, count = step.images
        rows.add_row(
            step.name,
            step.layer,
            step.kind,
            step.op,
            f"{first}-{first + count}",
            "-".join(map(str, step.rows)),
            str(step.cores) if step.kind in ("conv", "simd") else NOTHING,
            step.output or NOTHING,
        )
    yield rows


def compile_table(report: work.CompileReport) -> RenderableType:
    """Return the path of the program and how it tiles the layers."""
    written = f"{report.program.file}: {report.bytes:,} bytes"
    return Group(*tiling_parts(report.layers), "", written)


def build_table(report: work.BuildReport) -> RenderableType:
    """Return the modules of a chip, their instances and the folder of the files."""
    rows = table(["module", "instances"])
    for name, count in report.modules.items():
        rows.add_row(name, number(count))
    files = f"{report.folder}: {len(report.files)} files, list in {report.folder}/files.f"
    routed: list[RenderableType] = []
    if report.routed is not None:
        figures = table(["figure", f"on {report.routed.board}"], left=2)
        for row in routed_rows(report.routed):
            figures.add_row(*row)
        routed = [figures, ""]
    return Group(rows, "", *replaced_lines(report.replaced), *routed, files)


def train_table(report: work.TrainReport) -> RenderableType:
    """Return the accuracies and the path of the quantized network file."""
    accuracy = report.accuracy
    return Group(
        f"accuracy: float {accuracy.float:.2%}, pruned {accuracy.pruned:.2%},"
        f" integer {accuracy.integer:.2%}",
        f"trained: {training_state(report.training)}",
        f"{report.network.file}" + (" (trained before)" if report.reused else ""),
    )


def character_train_table(report: work.CharacterTrainReport) -> RenderableType:
    """Return the bits a character and the path of the network file."""
    bits = report.bits
    return Group(
        f"bits a character of {number(bits.characters)}: float {bits.float:.3f},"
        f" weights of two digits {bits.two_digits:.3f}, integer {bits.integer:.3f}",
        report.network.file,
    )


def adaptive_train_table(report: work.AdaptiveTrainReport) -> RenderableType:
    """Return the accuracy of every mode and the paths of the quantized network files."""
    rows = table(["mode", "float", "integer", "multiplications"])
    for each in report.modes:
        rows.add_row(each.mode, f"{each.float:.2%}", f"{each.integer:.2%}", number(each.macs))
    trained = " (trained before)" if report.reused else ""
    return Group(rows, "", *(f"{network.file}{trained}" for network in report.networks))
