"""Small parts are proved at small sizes, and the planted fault of each is refuted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from verif.formal.proof import Answer, Fault, Method, Proof, answer_of
from verif.formal.registry import LARGE, PROOFS

EACH = pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[pytest.mark.formal] * (name in LARGE))
        for name, make in PROOFS.items()
    ],
)


PROMISES = {
    "fifo_of_instructions": ("a queue lets each word out once, in its order, by proof",),
    "read_engine": (
        "the read engine keeps the rules of AXI4, and every beat has a place, by proof",
    ),
    "write_engine": (
        (
            "the write engine keeps the rules of AXI4 and writes each byte of its region once"
            " and no other, by proof"
        ),
    ),
    "packet_front": (
        "packets come in order with all their beats, and segments end where they say, by proof",
    ),
    "registers": ("registers read and take what their table says, by proof",),
    "supervisor": (
        "every start leads to done or error within a bound, if the memory answers, by proof",
    ),
    "shell": (
        (
            "every start of a shell leads to done or error within a bound whatever its engine"
            " does, and nothing is on the memory port afterwards, by proof"
        ),
    ),
    "requantizer_half_up": ("the requantizer is the formula of half_up and of tflite, by proof",),
    "requantizer_split": ("the requantizer is the formula of half_up and of tflite, by proof",),
    "requantizer_tflite": ("the requantizer is the formula of half_up and of tflite, by proof",),
    "requantizer_float32": ("the requantizer is the formula of float32, by proof",),
    "adder_tree_dense": ("both bodies of the adder tree give the sum, by proof",),
    "triple_decoder": (
        "three packed weights are those of their page, for every bit pattern, by proof",
    ),
    "weight_decoder": ("cells, metadata and constants are those of the weight codes, by proof",),
    "weight_decoder_dense": (
        "cells, metadata and constants are those of the weight codes, by proof",
    ),
    "ipu_sparse": ("a group takes each bit plane that it wants once, the highest first, by proof",),
    "ipu_dense": ("a group takes each bit plane that it wants once, the highest first, by proof",),
    "dbmu_sparse": ("a term is an input bit times a weight, for every pair of cells, by proof",),
    "dbmu_dense": ("a term is an input bit times a weight, for every pair of cells, by proof",),
    "adc": ("an ADC clips, and tells it, by proof",),
    "lane": ("a lane of a crossbar accumulates the formula of its data sheet, by proof",),
    "router": ("a router loses, doubles, changes and misroutes no flit, by proof",),
}
"""What each proof keeps."""


@pytest.mark.dear(
    "adc",
    "adder_tree_dense",
    "dbmu_dense",
    "fifo_of_instructions",
    "ipu_dense",
    "lane",
    "packet_front",
    "read_engine",
    "registers",
    "requantizer_half_up",
    "router",
    "supervisor",
    "triple_decoder",
    "weight_decoder_dense",
    "write_engine",
)
@EACH
def test_holds(make: Callable[[], Proof]) -> None:
    assert make().holds() is Answer.HOLDS


@pytest.mark.dear(
    "adc",
    "adder_tree_dense",
    "dbmu_dense",
    "fifo_of_instructions",
    "ipu_sparse",
    "lane",
    "packet_front",
    "read_engine",
    "registers",
    "requantizer_half_up",
    "router",
    "supervisor",
    "triple_decoder",
    "weight_decoder_dense",
    "write_engine",
)
@EACH
def test_the_fault_is_refuted(make: Callable[[], Proof]) -> None:
    assert make().refutes() is Answer.REFUTED


FIRES = {
    "fifo_of_instructions": ("level != 3'h4", "1'h1", 8),
    "read_engine": ("!memory__arready", "1'h0", 6),
    "write_engine": ("memory__wvalid & memory__wready", "memory__wvalid", 8),
    "packet_front": ("({1'h0, number} == last)", "1'h0", 12),
    "registers": ("rvalid <= !bus__rready", "rvalid <= 1'h0", 6),
    "supervisor": ("quiet == 3'h4", "1'h0", 16),
}
"""Of small shared parts, a fault that breaks an assertion of their own Verilog, within cycles."""


@pytest.mark.promise(
    "a formal tool reads the assertions of emitted Verilog: it proves those of small shared parts,"
    " and finds a planted fault by them alone"
)
@pytest.mark.parametrize("name", FIRES)
def test_own_assertions(name: str) -> None:
    """`test_holds` proves them beside the properties; here nothing else is left to break."""
    proof = PROOFS[name]()
    old, new, cycles = FIRES[name]
    assert proof.assertions
    module = proof.fault.module
    fault = Fault(module=module, old=old, new=new, cycles=cycles)
    assert proof.breaks(fault) is Answer.REFUTED
    assert proof.breaks(replace(fault, new=old)) is Answer.HOLDS


@pytest.mark.promise(
    "a proof says what is proved, plants a fault that is there, and tells unknown from refuted"
)
@EACH
def test_says_what_is_proved(make: Callable[[], Proof]) -> None:
    assert make.__doc__


def test_a_fault_that_stands_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="must hold 'no such text'"):
        Fault(module="part", old="no such text", new="").planted({"part": "module part;"})


def test_a_bounded_method_says_why() -> None:
    with pytest.raises(ValueError, match="must say why its bound is enough"):
        Method(kind="bounded", cycles=5)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("SAT proof finished - no model found: SUCCESS!", Answer.HOLDS),
        (
            "SAT temporal induction proof finished - model found for base case: FAIL!",
            Answer.REFUTED,
        ),
        ("Reached maximum number of time steps -> proof failed.", Answer.UNKNOWN),
    ],
)
def test_what_yosys_says(said: str, answer: Answer) -> None:
    assert answer_of(said) is answer
