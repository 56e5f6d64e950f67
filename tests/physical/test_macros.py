"""Modules that have figures in the place of a netlist."""

from pathlib import Path

import pytest

from hwgen.chip.replacement import Replacements, load_replacement
from hwgen.chip.rtl.replace import with_replacements
from hwgen.commands.macros import macros_of
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.chip import Chip
from hwgen.errors import ConfigError
from hwgen.files.shipped import shipped_folder
from hwgen.mram.facts.arch import load_arch as load_mram
from hwgen.mram.rtl.chip import Chip as MramChip
from hwgen.physical.macros import liberty_figures

ROOT = Path(__file__).parents[2]
SRAM = shipped_folder() / "replacements/sram_256x32.yaml"
TINY = shipped_folder() / "dbpim/tiny.yaml"
ARRAY = ROOT / "docs/examples/my_array"
LIBERTY = """library (sram) {
  time_unit : "1ns"; capacitive_load_unit (1, pf); leakage_power_unit : "1uW";
  cell (sram_1rw1r_256x32_8) {
    area : 31000.5; cell_leakage_power : 12.5;
    pin (clk1) { direction : input; capacitance : 0.01; }
    pin (dout1) { direction : output;
      timing () { related_pin : "clk1"; timing_type : rising_edge;
        cell_rise (scalar) { index_1 ("0.1"); index_2 ("0.1, 0.2"); values ("1.25, 1.75"); }
        cell_fall (scalar) { index_1 ("0.1"); index_2 ("0.1, 0.2"); values ("1.5, 1.625"); }
      }
    }
  }
}
"""


def chip_with(name: str, file: Path, arch: Path = TINY) -> Chip:
    """Return a chip with one replacement."""
    given = Replacements(((name, load_replacement(file)),))
    return with_replacements(Chip(arch=load_arch(arch)), given)


def sram(folder: Path, text: str) -> Path:
    """Return the memory that ships with other lines for its files."""
    (folder / "sram_256x32.v").write_text(SRAM.with_suffix(".v").read_text())
    file = folder / "mine.yaml"
    told = SRAM.read_text()
    assert told.count("  verilog: [sram_256x32.v]\n") == 1
    file.write_text(told.replace("  verilog: [sram_256x32.v]\n", text))
    return file


@pytest.mark.promise(
    "an array that computes is another one's in whole networks of all three families, by a"
    " package of its own; what does not fit is one sentence; one that computes something else"
    " fails its bench; its figures stand in the cost"
)
def test_a_liberty_gives_what_the_file_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "sram.lib").write_text(LIBERTY)
    file = sram(tmp_path, "  verilog: [sram_256x32.v]\n  liberty: sram.lib\n")
    (macro,) = macros_of(chip_with("activation_bank", file)).values()
    assert (macro.area_um2, macro.leakage_uw, macro.access_ns) == (31000.5, 12.5, 1.75)
    assert ("dout1", "output", 32) in macro.ports
    assert ("wmask0", "input", 4) in macro.ports
    assert ("addr0", "input", 8) in macro.ports
    assert not macro.ways
    assert liberty_figures(tmp_path / "sram.lib", "other") is None


@pytest.mark.parametrize(
    ("liberty", "sentence"),
    [
        (None, "figures.area_um2 must be given, or in files.liberty, for a cost, got nothing"),
        ("library (x) { cell (other) { area : 1; } }", "a library with the cell sram_1rw1r_256"),
        ("library (x) { cell (sram_1rw1r_256x32_8) { area : 1; } }", "figures.access_ns must be"),
    ],
)
def test_what_has_no_figures_is_one_sentence(
    tmp_path: Path, liberty: str | None, sentence: str
) -> None:
    lines = "  verilog: [sram_256x32.v]\n"
    if liberty is not None:
        (tmp_path / "sram.lib").write_text(liberty)
        lines += "  liberty: sram.lib\n"
    with pytest.raises(ConfigError) as told:
        macros_of(chip_with("activation_bank", sram(tmp_path, lines)))
    assert sentence in str(told.value)


def test_an_array_has_the_ports_of_one_module() -> None:
    chip = chip_with("dots", ARRAY / "my_array.yaml", ARRAY / "chip.yaml")
    (macro,) = macros_of(chip).values()
    assert sorted(macro.ports) == [
        ("A", "input", 6),
        ("CK", "input", 1),
        ("D", "input", 64),
        ("WEB", "input", 1),
        ("X", "input", 4),
        ("Y", "output", 20),
    ]
    assert (macro.area_um2, macro.access_ns, macro.ways) == (4200.0, 0.9, [])


def test_a_read_without_a_clock_is_a_way_through(tmp_path: Path) -> None:
    latches = shipped_folder() / "replacements/latches_16x32.yaml"
    (tmp_path / "latches_16x32.v").write_text(latches.with_suffix(".v").read_text())
    figures = "figures: {source: test, area_um2: 1.0, access_ns: 0.5}\n"
    file = tmp_path / "latches_16x32.yaml"
    file.write_text(latches.read_text() + figures)
    (macro,) = macros_of(chip_with("psum_array", file)).values()
    assert len(macro.ways) == 1


def test_figures_are_of_one_size(tmp_path: Path) -> None:
    """Sub-arrays of mram have two sizes, and one module with parameters for both."""
    arrays = ROOT / "tests/arrays"
    (tmp_path / "sub_array.v").write_text((arrays / "sub_array.v").read_text())
    file = tmp_path / "sub_array.yaml"
    figures = "figures: {source: test, area_um2: 1.0, access_ns: 0.5}\n"
    file.write_text((arrays / "sub_array.yaml").read_text() + figures)
    given = Replacements((("sub_array", load_replacement(file)),))
    chip = MramChip(arch=load_mram(shipped_folder() / "mram/small.yaml"))
    with pytest.raises(ConfigError, match="parameters must be of one size in a chip whose cost"):
        macros_of(with_replacements(chip, given))
