"""`hwgen synthesize` and `hwgen onnx`: the families that offer a synthesis and read graphs."""

from pathlib import Path

from hwgen.commands.capabilities import GRAPHS, SYNTHESIS
from hwgen.commands.families import offering
from hwgen.commands.pages import Graphs, Synthesis
from hwgen.errors import FamilyError, FormatError
from hwgen.files.load import read_mapping


def graphs() -> Graphs:
    """Return the reader of networks without weights."""
    able = offering(GRAPHS)
    if not able:
        raise FamilyError("no family that is installed reads networks without weights")
    return able[0].need(GRAPHS)


def default_tables() -> list[Path]:
    """Return the table of components that each synthesis reads if none is given; papers do, too."""
    return [family.need(SYNTHESIS).COMPONENTS for family in offering(SYNTHESIS)]


def synthesis_for(components: Path | None) -> Synthesis:
    """Return the synthesis that reads a table of components; None: the only synthesis."""
    able = [family.need(SYNTHESIS) for family in offering(SYNTHESIS)]
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
