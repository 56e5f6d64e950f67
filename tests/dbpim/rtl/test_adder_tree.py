"""Both bodies of the adder tree are equal: proofs by Yosys, level by level for the paper's size."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.dbpim.rtl import named_adders
from hwgen.dbpim.rtl.adder_tree import AdderTree
from verif.yosys import run_yosys

CONFIGS = Path(__file__).parents[3] / "configs" / "dbpim"
PAPER = load_arch(CONFIGS / "paper.yaml")
TREE = "dbpim_adder_tree"
ADDERS = {"dbpim_full_adder": "a + b + c", "dbpim_half_adder": "a + b"}


def arch_of(compartments: int, sparsity: str) -> Arch:
    size = MacroSize(compartments=compartments, columns=8, rows=4)
    paper = replace(PAPER, lanes_per_requantizer=1)
    small = replace(paper, macro=size, tile_rows=2, switch_rate=4, simd_lanes=4)
    return with_sparsity(small, sparsity)


def prove_equal(first: str, second: str, folder: Path, *, files: list[Path]) -> None:
    """Raise DesignError unless two modules give the same outputs for all inputs."""
    names = " ".join(file.name for file in files)
    run_yosys(
        f"read_verilog {names}\nproc\nflatten\nopt_clean\n"
        f"miter -equiv -flatten {first} {second} both\nhierarchy -top both\n"
        "sat -verify -prove trigger 0 both\n",
        folder,
    )


@pytest.mark.promise(
    "the body of named adders equals the expression, by proof; the Verilog of a chip has both"
)
@pytest.mark.parametrize("name", ADDERS)
def test_an_adder_is_its_formula(name: str, tmp_path: Path) -> None:
    modules = named_adders(PAPER)
    (tmp_path / "adder.v").write_text(modules[name])
    inputs = "a, b, c" if "c" in ADDERS[name] else "a, b"
    (tmp_path / "formula.v").write_text(
        f"module formula(input {inputs}, output sum, output carry);\n"
        f"  assign {{carry, sum}} = {ADDERS[name]};\nendmodule\n"
    )
    files = [tmp_path / "adder.v", tmp_path / "formula.v"]
    prove_equal(name, "formula", tmp_path, files=files)


@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_every_level_keeps_the_sum(sparsity: str, tmp_path: Path) -> None:
    """Each adder takes bits of one weight, each bit is taken once, and outputs have their weight.

    With adders that are their formula, the weighted sum of the bits that no adder takes is that of
    all inputs, modulo the weight above the highest output.
    """
    arch = with_sparsity(PAPER, sparsity)
    for name, text in named_adders(arch).items():
        (tmp_path / f"{name}.v").write_text(text)
    adders = " ".join(f"{name}.v" for name in ADDERS)
    run_yosys(
        f"read_verilog -lib {adders}\nread_verilog {TREE}.v\nhierarchy -top {TREE}\nproc\n"
        "opt_clean\nwrite_json tree.json\n",
        tmp_path,
    )
    module = json.loads((tmp_path / "tree.json").read_text())["modules"][TREE]
    ports = module["ports"]
    weights = {bit: place % 8 for place, bit in enumerate(bits_of(ports, "terms"))}
    if sparsity == "all":
        weights |= {bit: place for place, bit in enumerate(ports["constant"]["bits"])}
    used: Counter[object] = Counter()
    constants = [0]
    waiting = list(module["cells"].values())
    while waiting:
        cell = next(
            each
            for each in waiting
            if all(known(each["connections"][name][0], weights) for name in inputs_of(each))
        )
        waiting.remove(cell)
        pins = {name: bits[0] for name, bits in cell["connections"].items() if bits}
        taken = [pins[name] for name in inputs_of(cell)]
        (weight,) = {weights[bit] for bit in taken if not isinstance(bit, str)}
        constants.append(sum(int(bit) << weight for bit in taken if isinstance(bit, str)))
        used.update(bit for bit in taken if not isinstance(bit, str))
        weights[pins["sum"]] = weight
        # What is above the highest output is connected to nothing.
        assert "carry" in pins or weight + 1 == len(ports["sum"]["bits"])
        if "carry" in pins:
            weights[pins["carry"]] = weight + 1
    outputs = ports["sum"]["bits"]
    assert [weights[bit] for bit in outputs] == list(range(len(outputs)))
    used.update(outputs)
    lost = {bit for bit in weights if used[bit] != 1}
    assert all(weights[bit] == len(outputs) and not used[bit] for bit in lost)
    expected = 0 if sparsity == "all" else -128 * arch.macro.compartments
    assert (sum(constants) - expected) % (1 << len(outputs)) == 0


def bits_of(ports: dict, name: str) -> list[int]:
    """Return the bits of an array of ports, or of a port that holds it whole."""
    found = [port for port in ports if port == name or port.startswith(f"{name}__")]
    return [bit for port in sorted(found, key=len) for bit in ports[port]["bits"]]


def known(bit: object, weights: dict) -> bool:
    """Return whether the weight of an adder's input is known; constants have that of the others."""
    return isinstance(bit, str) or bit in weights


def inputs_of(cell: dict) -> list[str]:
    """Return the inputs of an adder."""
    return [name for name in "abc" if name in cell["connections"]]


@pytest.mark.parametrize("sparsity", ["all", "none"])
def test_small_bodies_are_equal(sparsity: str, tmp_path: Path) -> None:
    arch = arch_of(4, sparsity)
    plain = verilog_modules(AdderTree(arch=arch))[TREE].replace(TREE, "plain_tree")
    (tmp_path / "plain.v").write_text(plain)
    files = [tmp_path / "plain.v"]
    for name, text in named_adders(arch).items():
        files.append(tmp_path / f"{name}.v")
        files[-1].write_text(text)
    prove_equal("plain_tree", TREE, tmp_path, files=files)
