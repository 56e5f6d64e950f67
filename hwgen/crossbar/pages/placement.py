"""What `hwgen info` tells of the placement on a crossbar chip: which macro holds what."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from hwgen.crossbar.facts.arch import Arch
from hwgen.errors import HwgenError
from hwgen.files.load import validate_spec
from hwgen.report.tables import number, table

COLUMNS = (
    "macro",
    "node",
    "layer",
    "copies",
    "row tiles",
    "units",
    "crossbars",
    "columns a bit step",
    "ADCs",
    "words",
)


def placement_parts(configuration: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield a row for each layer in each macro; nothing for a chip without a fabric.

    Runs of copies and row tiles name the first and the last. Words are those of the layer's rings
    in the scratchpad.
    """
    fabric = configuration.get("fabric")
    if not fabric:
        return
    columns, layers = configuration["mesh"]["columns"], configuration["layers"]
    clock = fabric["clock"]
    yield ""
    yield (
        f"a step is {clock['step_clocks']} clocks of {clock['clock_ns']:g} ns; the image enters and"
        f" results leave at node {fabric['io']['node']}"
    )
    rows = table(COLUMNS, left=5)
    words = words_of(fabric)
    held: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for layer in fabric["layers"]:
        for one in layer["held"] if layer["sections"] else ():
            held[one["macro"]].append((layer["layer"], one))
    for macro in sorted(held):
        row, column = divmod(macro, columns)
        column = column if row % 2 == 0 else columns - 1 - column
        for place, one in held[macro]:
            rows.add_row(
                str(macro),
                f"{row},{column}",
                layers[place]["name"],
                run(one["copies"]),
                run(one["row_tiles"]),
                number(one["units"]),
                number(one["crossbars"]),
                number(one["conversions"]),
                number(one["adcs"]),
                number(words[macro, place]),
            )
    yield rows
    yield travels_text(fabric)
    yield ""
    yield from unpaid_parts(configuration)


def unpaid_parts(configuration: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield the memories of the Verilog that no component of the table pays for."""
    # As JSON has it: lists in the place of tuples.
    from hwgen.crossbar.rtl.unpaid import unpaid

    plain = json.loads(json.dumps(configuration))
    arch = validate_spec(Arch, plain, source=configuration["name"])
    try:
        from hwgen.crossbar.rtl import make_chip

        chip = make_chip(arch)
    except HwgenError as error:
        yield f"no Verilog of this chip: {error}"
        return
    rows = table(["memories beside the components", "bits"])
    for name, bits in unpaid(chip).items():
        rows.add_row(name, number(bits))
    yield rows


def words_of(fabric: Mapping[str, Any]) -> dict[tuple[int, int], int]:
    """Return the words of the rings of each layer, by macro and layer."""
    words: dict[tuple[int, int], int] = defaultdict(int)
    for region in fabric["regions"]:
        words[region["macro"], region["layer"]] += region["words"]
    return words


def run(span: tuple[int, int]) -> str:
    """Return the first and the last of a run."""
    first, behind = span
    return str(first) if behind == first + 1 else f"{first}-{behind - 1}"


def travels_text(fabric: Mapping[str, Any]) -> str:
    """Return how many multicasts there are of each kind, and their links."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for travel in fabric["travels"]:
        kinds[travel["kind"]].append(len(travel["tree"]))
    parts = [f"{len(links)} {kind} over {sum(links)} links" for kind, links in kinds.items()]
    return f"travels: {', '.join(parts)}"
