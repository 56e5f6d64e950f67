"""A family of one adder, written into a folder as a separate installed package."""

from pathlib import Path

FAMILY = '''
"""A family of one adder: architectures and Verilog, nothing else."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from pydantic.dataclasses import dataclass as checked

from hwgen.chip.family import FamilyDescription
from hwgen.files.load import load_spec

FAMILY = FamilyDescription(
    name="adder", offers={"architectures": "plus_one", "verilog": "plus_one.verilog"}
)


@checked(frozen=True, kw_only=True)
class Arch:
    format: Literal["hwgen.adder.architecture"]
    version: Literal[1]
    name: str
    width: int
    clock_mhz: float

    @property
    def digest(self):
        return sha256(str(asdict(self)).encode()).hexdigest()


def load_arch(path):
    return load_spec(Arch, path)
'''

VERILOG = '''
"""The generator of the adder."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class Sum(Part):
    family = "adder"

    def __init__(self, width):
        super().__init__({"a": In(width), "b": In(width), "sum": Out(width + 1)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.sum.eq(self.a + self.b)
        return m


def make_chip(arch):
    return Sum(arch.width)
'''

ARCH = """
format: hwgen.adder.architecture
version: 1
name: nibble
width: 4
clock_mhz: 100.0
"""


def install(folder: Path, *, modules: dict[str, str], entry: str, package: str) -> Path:
    """Write an installed package, with its metadata, into a folder for PYTHONPATH; return it.

    modules: source text by file below the folder; entry: an entry point of `hwgen.families`
    """
    for name, text in modules.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    (metadata / "entry_points.txt").write_text(f"[hwgen.families]\n{entry}\n", encoding="utf-8")
    return folder


def install_adder(folder: Path) -> Path:
    """Install the family of one adder."""
    modules = {"plus_one/__init__.py": FAMILY, "plus_one/verilog.py": VERILOG}
    return install(folder, modules=modules, entry="adder = plus_one:FAMILY", package="plus-one")
