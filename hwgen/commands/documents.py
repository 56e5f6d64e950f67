"""`scripts/documents`: the generated pages: data sheets and operators.

Tests: `tests/report/test_documents.py`.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hwgen.chip.family import Family
from hwgen.commands.clocks import CLOCKS
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily, is_architecture, offering
from hwgen.commands.info import parts_picture
from hwgen.commands.operators import operators_page
from hwgen.commands.subject import load_chip
from hwgen.commands.verilog import MANIFEST, write_verilog
from hwgen.files.output import write_text
from hwgen.report.clocks import read_clocks
from hwgen.report.clocks_page import clock_lines, placed_lines
from hwgen.report.data_sheet import data_sheet

PLACED = "clocks_sg13g2.json"
"""File of clocks of chips that were placed."""
EXAMPLE = "small"
"""The architecture of each family whose chip is shown, if there is one of this name."""
BESIDE = ("paper", "paper_rows", "tiny")
"""Architectures whose memories stand beside those of the example."""
OPERATORS_PAGE = "operators.md"


def documents(configs: Path, *, rules_on: str) -> dict[str, str]:
    """Return every page by its path below `docs`.

    configs: with a folder for each family
    rules_on: family whose data sheet has what is the same for every chip in a system
    """
    pages: dict[str, str] = {}
    clocks, placed = read_clocks(configs / CLOCKS), read_clocks(configs / PLACED)
    for family in offering(Family.data_sheet):
        files = [file for file in (configs / family.name).glob("*.yaml") if is_architecture(file)]
        chips: dict[str, tuple[str, float]] = {}
        for file in sorted(files):
            _, arch = load_chip(file, None)
            chips[f"{family.name}/{file.stem}"] = arch.digest, arch.clock_mhz
        if family.offers(Family.verilog) and files:
            example, *rest = sorted(files, key=lambda file: (file.stem != EXAMPLE, file))
            others = [file for file in rest if file.stem in BESIDE]
            pages[f"{family.name}-data-sheet.md"] = sheet_of(
                family,
                example,
                others,
                [*clock_lines(clocks, chips), *placed_lines(placed, chips)],
                rules_on,
            )
            if family.offers(Family.area):
                pages[picture_of(family)] = parts_picture(family, load_chip(example, None)[1])
    return pages | {OPERATORS_PAGE: operators_page()}


def sheet_of(
    family: InstalledFamily,
    arch_file: Path,
    others: Sequence[Path],
    clocks: Sequence[str],
    rules_on: str,
) -> str:
    """Return the data sheet of a family.

    others: architectures whose memories stand beside; clocks: lines of that section
    """
    _, arch = load_chip(arch_file, None)
    archs = [arch, *(load_chip(other, None)[1] for other in others)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "verilog")
        write_verilog(Context(), family, arch, folder)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return data_sheet(
        family.need(Family.data_sheet),
        chip=arch.name,
        manifest=manifest,
        archs=archs,
        picture=picture_of(family) if family.offers(Family.area) else None,
        clocks=clocks,
        rules_on=None if family.name == rules_on else f"{rules_on}-data-sheet.md",
    )


def picture_of(family: InstalledFamily) -> str:
    """Return the name of the picture on the data sheet of a family."""
    return f"{family.name}-parts.svg"


def write_documents(configs: Path, out: Path, *, rules_on: str) -> list[Path]:
    """Write every page below `out`; return their paths."""
    pages = documents(configs, rules_on=rules_on)
    for name, text in pages.items():
        write_text(out / name, text, what="page")
    return [out / name for name in pages]
