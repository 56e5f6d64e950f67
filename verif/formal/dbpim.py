"""Proofs of datapaths of the DB-PIM chip."""

from dataclasses import replace
from functools import cache
from typing import Final

from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.dbpim.rtl.adder_tree import AdderTree
from hwgen.dbpim.rtl.dbmu import Dbmu
from hwgen.dbpim.rtl.ipu import Ipu
from hwgen.dbpim.rtl.layouts import dot_shape
from hwgen.dbpim.rtl.triple_decoder import TripleDecoder
from hwgen.dbpim.rtl.weight_decoder import WeightDecoder
from hwgen.files.shipped import shipped_folder
from verif.formal.proof import COMBINATIONAL, Fault, Proof, induction

COMPARTMENTS = 4
COLUMNS: Final = 8


@cache
def arch(sparsity: str, compartments: int = COMPARTMENTS) -> Arch:
    """Return the architecture of the paper with a small macro."""
    paper = replace(load_arch(shipped_folder() / "dbpim" / "paper.yaml"), lanes_per_requantizer=1)
    size = MacroSize(compartments=compartments, columns=COLUMNS, rows=4)
    small = replace(paper, macro=size, tile_rows=2, switch_rate=4, simd_lanes=4)
    return with_sparsity(small, sparsity)


def sizes(sparsity: str, compartments: int = COMPARTMENTS) -> dict[str, int]:
    """Return the macros that properties of the macro's parts share."""
    of = arch(sparsity, compartments)
    given = {"COMPARTMENTS": compartments, "COLUMNS": COLUMNS, "FILTERS": of.filters}
    given["BITS"] = dot_shape(of).width
    return given | ({"SPARSE": 1} if sparsity == "all" else {})


def adder_tree(sparsity: str, *, adders: bool, fault: Fault) -> Proof:
    """Return the proof of a body of the tree."""
    return Proof(
        part=lambda: AdderTree(arch=arch(sparsity), adders=adders),
        properties="adder_tree.v",
        size=f"{COMPARTMENTS} compartments",
        method=COMBINATIONAL,
        fault=fault,
        sizes=sizes(sparsity),
    )


def adder_tree_expression() -> Proof:
    """The body that is an expression gives the sum of all terms and of the constant."""
    fault = Fault(module="dbpim_adder_tree", old="terms[7:0] +", new="terms[6:0] +")
    return adder_tree("all", adders=False, fault=fault)


def adder_tree_named_adders() -> Proof:
    """The body of named adders gives the sum of all terms and of the constant."""
    fault = Fault(module="dbpim_full_adder", old="|", new="^ 1'h1 |")
    return adder_tree("all", adders=True, fault=fault)


def adder_tree_dense() -> Proof:
    """Named adders without a constant port give the sum of all terms minus 128 for each."""
    fault = Fault(module="dbpim_half_adder", old="a & b", new="a | b")
    return adder_tree("none", adders=True, fault=fault)


def triple_decoder() -> Proof:
    """All three weights of every 19 bits are those of the page "Packed rows".

    The digits of a densely packed decimal are written anew, as sums of products.
    """
    return Proof(
        part=TripleDecoder,
        properties="triple_decoder.v",
        size="three weights",
        method=COMBINATIONAL,
        fault=Fault(module="dbpim_triple_decoder", old="5'h8) ? 2'h1", new="5'h8) ? 2'h2"),
    )


def weight_decoder() -> Proof:
    """Cells and metadata are those of the codes, constants minus the negative digits.

    Constants are proved for the digits of any one compartment, the others' without a negative one.
    """
    return Proof(
        part=lambda: WeightDecoder(arch=arch("all")),
        properties="weight_decoder.v",
        size=f"{COMPARTMENTS} compartments, {arch('all').filters} filters",
        method=COMBINATIONAL,
        fault=Fault(
            module="dbpim_weight_decoder",
            old="row[5 * 8 + 3], row[4 * 8 + 7]",
            new="row[5 * 8 + 2], row[4 * 8 + 7]",
        ),
        sizes=sizes("all"),
    )


def weight_decoder_dense() -> Proof:
    """Without bits of weights that are skipped, cells are the int8 weights."""
    return Proof(
        part=lambda: WeightDecoder(arch=arch("none")),
        properties="weight_decoder.v",
        size=f"{COMPARTMENTS} compartments",
        method=COMBINATIONAL,
        fault=Fault(module="dbpim_weight_decoder", old="= row;", new="= { row[30], row[30:0] };"),
        sizes=sizes("none"),
    )


def ipu(sparsity: str, *, skips: bool) -> Proof:
    """Return the proof of the IPU with or without zero detection."""
    return Proof(
        part=lambda: Ipu(arch=arch(sparsity)),
        properties="ipu.v",
        size=f"{COMPARTMENTS} bytes",
        method=induction(1),
        fault=Fault(
            module="dbpim_ipu",
            old="remaining[7] ? {1'h0, remaining[6:0]}",
            new="remaining[7] ? {2'h0, remaining[5:0]}",
            cycles=4,
        ),
        sizes=sizes(sparsity) | {"SKIPS": int(skips)},
    )


def ipu_sparse() -> Proof:
    """A group takes each bit plane with a one once, the highest first, and no other."""
    return ipu("all", skips=True)


def ipu_dense() -> Proof:
    """Without zero detection a group takes all eight bit planes, each once, the highest first."""
    return ipu("none", skips=False)


def dbmu_sparse() -> Proof:
    """A term is the input bit times the weight of the cells, plus its negative digits."""
    return Proof(
        part=lambda: Dbmu(arch=arch("all")),
        properties="dbmu.v",
        size="two cells",
        method=COMBINATIONAL,
        fault=Fault(module="dbpim_dbmu", old="enable[0] & !", new="enable[0] | !"),
        sizes=sizes("all") | {"COLUMNS": 2},
    )


def dbmu_dense() -> Proof:
    """A term is the input bit times the int8 weight, plus 128."""
    return Proof(
        part=lambda: Dbmu(arch=arch("none")),
        properties="dbmu.v",
        size="eight cells",
        method=COMBINATIONAL,
        fault=Fault(module="dbpim_dbmu", old="enable[0]", new="enable[1]"),
        sizes=sizes("none"),
    )


DBPIM = [
    adder_tree_expression,
    adder_tree_named_adders,
    adder_tree_dense,
    triple_decoder,
    weight_decoder,
    weight_decoder_dense,
    ipu_sparse,
    ipu_dense,
    dbmu_sparse,
    dbmu_dense,
]
