"""Keys of an architecture that a file may leave out."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from hwgen.commands.subject import configuration_of
from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.errors import ConfigError

CONFIGS = Path("configs/dbpim")


@pytest.mark.promise("a chip without a row unit keeps its digest, and reports do not name one")
@pytest.mark.parametrize(
    ("name", "id_word"), [("small", 0x5B7C58B5), ("paper_float32", 0x21D4CA57)]
)
def test_an_absent_row_unit_changes_nothing(name: str, id_word: int) -> None:
    arch = load_arch(CONFIGS / f"{name}.yaml")
    assert arch.id_word == id_word
    assert "row_unit" not in configuration_of(arch)


def test_a_row_unit_is_part_of_the_digest() -> None:
    with_unit = load_arch(CONFIGS / "paper_rows.yaml")
    assert configuration_of(with_unit)["row_unit"] == {"lanes": 4}
    assert replace(with_unit, row_unit=None).digest == paper().digest != with_unit.digest


@pytest.mark.parametrize(
    ("lanes", "allowed"),
    [
        (3, "a power of two"),
        (8, r"at most macros_per_core \(4\)"),
        (2, "at least macros_per_core"),
    ],
)
def test_lanes_of_a_row_unit_are_checked(lanes: int, allowed: str, tmp_path: Path) -> None:
    text = (CONFIGS / "paper_rows.yaml").read_text(encoding="utf-8")
    path = tmp_path / "chip.yaml"
    path.write_text(text.replace("lanes: 4", f"lanes: {lanes}"), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"row_unit.lanes must be {allowed}"):
        load_arch(path)


def paper() -> Arch:
    """Return the chip without the unit."""
    return load_arch(CONFIGS / "paper_float32.yaml")


def test_an_array_of_two_cycles_is_another_chip() -> None:
    one = paper()
    two = replace(one, array_cycles=2)
    assert "array_cycles" not in configuration_of(one)
    assert configuration_of(two)["array_cycles"] == 2
    assert (one.macro_cycles, two.macro_cycles) == (3, 4)
    assert two.digest != one.digest == replace(two, array_cycles=1).digest


def test_reset_of_control_alone_is_another_chip(tmp_path: Path) -> None:
    every = paper()
    control = replace(every, reset="control")
    assert "reset" not in configuration_of(every)
    assert control.digest != every.digest == replace(control, reset="all").digest
    path = tmp_path / "chip.yaml"
    text = (CONFIGS / "tiny.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("reset: all", "reset: none"), encoding="utf-8")
    with pytest.raises(ConfigError, match="reset must be 'all' or 'control', got 'none'"):
        load_arch(path)


def test_cycles_of_an_array_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    text = (CONFIGS / "tiny.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}array_cycles: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="array_cycles must be 1 or 2, got 3"):
        load_arch(path)


@pytest.mark.promise(
    "synchronous cells are given their row at the issue and take the cycles of combinational"
    " ones; SRAMs of one port may be the cells"
)
def test_synchronous_cells_are_another_chip() -> None:
    combinational = paper()
    synchronous = replace(combinational, cells="synchronous")
    assert "cells" not in configuration_of(combinational)
    assert configuration_of(synchronous)["cells"] == "synchronous"
    assert synchronous.macro_cycles == combinational.macro_cycles
    assert synchronous.digest != combinational.digest
    assert replace(synchronous, cells="combinational").digest == combinational.digest


@pytest.mark.promise("a chip without the key is as it was, and what pairs need is checked")
def test_pairs_are_another_chip_with_twice_the_sums() -> None:
    plain = paper()
    coded, paired = (replace(plain, one_digit=value) for value in ("coded", "paired"))
    assert "one_digit" not in configuration_of(plain)
    assert configuration_of(paired)["one_digit"] == "paired"
    assert len({each.digest for each in (plain, coded, paired)}) == 3
    assert [each.sums for each in (plain, coded, paired)] == [8, 8, 16]
    assert with_sparsity(paired, "input_bits").sums == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "psum_entries: 16",
            "psum_entries: 2",
            "psum_entries must be at least 2 . macros_per_core",
        ),
        ("one_digit: paired", "one_digit: two", "one_digit must be 'none', 'coded' or 'paired'"),
    ],
)
def test_what_pairs_need_is_checked(before: str, after: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    text = (CONFIGS / "tiny.yaml").read_text(encoding="utf-8") + "one_digit: paired\n"
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_arch(path)


def test_pairs_have_eight_filters_a_macro_at_most() -> None:
    wide = replace(paper(), macro=MacroSize(compartments=16, columns=32, rows=16))
    with pytest.raises(ValidationError, match="at most 16 with one_digit of paired"):
        replace(wide, one_digit="paired")


def test_the_kind_of_cells_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    text = (CONFIGS / "tiny.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}cells: clocked\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cells must be 'combinational' or 'synchronous', got"):
        load_arch(path)


@pytest.mark.promise(
    "a chip may leave out the parts for sparsity; one that keeps them, its switches off, keeps its"
    " digest and its Verilog"
)
def test_a_dense_chip_is_another_chip_than_one_without_switches() -> None:
    dense = load_arch(CONFIGS / "paper_dense.yaml")
    kept = with_sparsity(load_arch(CONFIGS / "paper.yaml"), "none")
    assert "sparse_parts" not in configuration_of(kept)
    assert configuration_of(dense)["sparse_parts"] is False
    clocked = replace(kept, name="paper_dense", clock_mhz=dense.clock_mhz)
    same = replace(clocked, packed_weights=False, sparse_parts=False)
    assert same == dense and dense.digest != replace(dense, sparse_parts=True).digest
    # What no part of the chip reads decides nothing.
    others = replace(dense, switch_rate=1, queue_depth=2, mask_bytes=64, one_digit="coded")
    assert others.digest == dense.digest
    assert (dense.mask_words, dense.groups_queued) == (0, 0)
    assert replace(dense, psum_entries=64).digest != dense.digest
    assert kept.id_word == 0x638C8349


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("input_bits: false", "input_bits: true", "sparsity.input_bits must be false without"),
        ("input_streams: own", "input_streams: shared", "input_streams must be own without"),
    ],
)
def test_a_dense_chip_is_asked_for_no_sparsity(
    before: str, after: str, message: str, tmp_path: Path
) -> None:
    text = (CONFIGS / "paper_dense.yaml").read_text(encoding="utf-8")
    path = tmp_path / "chip.yaml"
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_arch(path)


@pytest.mark.parametrize("switches", ["all", "weight_bits"])
def test_a_dense_chip_has_no_switches(switches: str) -> None:
    dense = load_arch(CONFIGS / "paper_dense.yaml")
    assert with_sparsity(dense, "none") == dense
    with pytest.raises(ConfigError, match="paper_dense has no parts for sparsity"):
        with_sparsity(dense, switches)
