"""--replace: arrays that compute and that others stand for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen import api
from hwgen.chip.replacement import load_replacement
from hwgen.errors import ConfigError
from hwgen.files.shipped import shipped_folder

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/my_array"
CHIP = EXAMPLE / "chip.yaml"
ARRAYS = ROOT / "tests/arrays"


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Return a copy of the example with another content, its Verilog beside it."""
    content = yaml.safe_load((EXAMPLE / "my_array.yaml").read_text())
    change(content)
    (folder / "my_array.v").write_text((EXAMPLE / "my_array.v").read_text())
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.mark.dear("<lambda>-kind must be 'array', got 'memory'")
@pytest.mark.promise(
    "an array that computes is another one's in whole networks of all three families, by a"
    " package of its own; what does not fit is one sentence; one that computes something else"
    " fails its bench; its figures stand in the cost"
)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.update(cycles=3), "cycles must be at most 2, as the part has it, got 3"),
        (lambda c: c.update(cells="synchronous"), "cells must be combinational, as those of the"),
        (lambda c: c.update(kind="memory"), "kind must be 'array', got 'memory'"),
        (lambda c: c["sizes"].update(rows=2), "sizes.rows must be at least the 4 of the part"),
        (lambda c: c["sizes"].pop("rows"), "sizes.rows must be given, or a parameter's, got neith"),
        (lambda c: c["sizes"].update(input=4), "got input: did you mean inputs?"),
        (lambda c: c.update(parameters={"ROWS": "row"}), "got row: did you mean rows?"),
        (lambda c: c.update(parameters={"ROWS": "rows"}), "a parameter's, got both"),
        (lambda c: c["pins"].pop("sums"), "pins.sums must be given, got nothing"),
        (lambda c: c["pins"].update(x="A"), "pins must be of different names, got A 2 times"),
        (lambda c: c["pins"].update(enable="E"), "pins must be for clk, x, row"),
    ],
)
def test_an_array_that_does_not_fit_is_one_sentence(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    out = tmp_path / "chip"
    with pytest.raises(ConfigError) as told:
        api.build(CHIP, out=out, replace=[f"dots={changed(tmp_path, change)}"])
    assert sentence in str(told.value)
    assert "mine.yaml" in str(told.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arch", "given", "sentence"),
    [
        (
            "dbpim/tiny",
            ["dots=ARRAY"],
            "kind must be for a chip whose sparsity.weight_bits is false",
        ),
        ("CHIP", ["dots=sram_256x32"], "kind must be array, as the part is one, got nothing"),
        ("CHIP", ["psum_array=ARRAY"], "kind must be left out for a memory, as the part is one"),
        ("CHIP", ["dots=ARRAY", "cell_array=latches_16x32"], "must be a part of the chip: "),
    ],
)
def test_a_wrong_option_is_one_sentence(
    tmp_path: Path, arch: str, given: list[str], sentence: str
) -> None:
    file = CHIP if arch == "CHIP" else Path(arch)
    named = [one.replace("ARRAY", str(EXAMPLE / "my_array.yaml")) for one in given]
    with pytest.raises(ConfigError) as told:
        api.build(file, out=tmp_path / "chip", replace=named)
    assert sentence in str(told.value)


def test_digits_are_no_weights_of_an_array(tmp_path: Path) -> None:
    arch = tmp_path / "digits.yaml"
    arch.write_text(CHIP.read_text().replace("weight_bits: false", "weight_bits: true"))
    with pytest.raises(ConfigError, match=r"sparsity.weight_bits is false"):
        api.build(arch, out=tmp_path / "chip", replace=[f"dots={EXAMPLE / 'my_array.yaml'}"])


def test_info_lists_arrays() -> None:
    (dots,) = api.info(CHIP, parts=True).arrays or ()
    assert (dots.name, dots.cycles, dots.cells) == ("dots", 2, "combinational")
    assert dots.sizes == {"rows": 4, "inputs": 8, "filters": 2}
    assert dots.optional == ["valid"]
    assert "enable" not in dots.pins


@pytest.mark.dear
def test_build_writes_no_module_of_the_replaced_part(tmp_path: Path) -> None:
    out = tmp_path / "chip"
    report = api.build(CHIP, out=out, replace=[f"dots={EXAMPLE / 'my_array.yaml'}"])
    names = {each.name for each in out.iterdir()}
    assert "my_array.v" in names
    assert not names & {"dbpim_cell_array.v", "dbpim_compartment.v", "dbpim_adder_tree.v"}
    (part,) = report.replaced
    assert (part.part, part.module, part.columns) == ("dots", "my_array", 2)


@pytest.mark.parametrize("file", ["sub_array", "bank"])
def test_the_arrays_of_the_tests_are_read(file: str) -> None:
    assert load_replacement(ARRAYS / f"{file}.yaml").spec.name == f"their_{file}"


@pytest.mark.dear
@pytest.mark.parametrize(
    ("arch", "network", "part"),
    [
        ("mram/small", "cadnn_digits", "sub_array"),
        pytest.param(
            "crossbar/digits_small_cnn", "digits_small_cnn", "bank", marks=pytest.mark.long
        ),
    ],
)
def test_a_network_runs_on_an_array_of_another(arch: str, network: str, part: str) -> None:
    """Every element, cycle and event is golden's and the model's."""
    report = api.simulate(
        shipped_folder() / f"networks/{network}.npz",
        shipped_folder() / f"{arch}.yaml",
        replace=[f"{part}={ARRAYS / part}.yaml"],
    )
    assert report.equal
    assert report.in_time
    assert report.replaced
