"""The pages that are written from code: schemas of reports, data sheets of chips."""

import json
import tempfile
from pathlib import Path

from hwgen.flow.build import MANIFEST, write_verilog
from hwgen.flow.context import Context
from hwgen.flow.families import Family, families
from hwgen.flow.subject import load_chip
from hwgen.report.data_sheet import data_sheet
from hwgen.report.files import REPORTS, schema_of
from hwgen.spec.output import write_text

EXAMPLE = "small"
"""The architecture of each family whose chip is shown."""


def documents(configs: Path) -> dict[str, str]:
    """Return every page by its path below `docs`; `configs` holds a folder for each family."""
    pages = {f"schema/{name}.schema.json": schema_of(kind) for name, kind in REPORTS.items()}
    for family in filter(has_chip, families()):
        pages[f"{family}-data-sheet.md"] = sheet_of(family, configs / family / f"{EXAMPLE}.yaml")
    return pages


def has_chip(family: str) -> bool:
    """Return whether there is a chip whose data sheet can be written."""
    return Family(family).has("rtl")


def sheet_of(name: str, arch_file: Path) -> str:
    """Return the data sheet of a family."""
    family, arch = load_chip(arch_file, None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "verilog")
        write_verilog(Context(), family, arch, folder)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return data_sheet(name, chip=arch.name, manifest=manifest)


def write_documents(configs: Path, out: Path) -> list[Path]:
    """Write every page below `out`; return their paths."""
    pages = documents(configs)
    for name, text in pages.items():
        write_text(out / name, text, what="page")
    return [out / name for name in pages]
