"""Numbers with named codes are numbers, and their fields keep the names."""

from pathlib import Path

import pytest
from amaranth.hdl import Signal
from amaranth.lib import data

from hwgen.chip.rtl.coded import Coded
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.rtl.layouts import packet
from hwgen.mram.facts.records import Kind

CONFIGS = Path(__file__).parents[3] / "configs"
KIND = Coded(Kind.__members__, 3)


def test_a_coded_signal_is_a_number() -> None:
    kind = Signal(KIND, init=Kind.POOL)
    assert kind.shape().width == 3 and kind.init == Kind.POOL
    assert Coded(Kind.__members__, 3) == KIND != Coded(Kind.__members__, 4)


def test_a_code_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codes must fit in 2 bits, got 4 for ANSWER"):
        Coded(Kind.__members__, 2)


@pytest.mark.promise("fields of packets that hold a code have the names of its values")
def test_fields_of_packets_have_names() -> None:
    simd = packet(Opcode.SIMD, load_arch(CONFIGS / "dbpim/small.yaml"))
    assert isinstance(simd, data.StructLayout)
    for name, codes in {"opcode": Opcode, "operation": Operation}.items():
        shape = simd[name].shape
        assert isinstance(shape, Coded) and shape.codes == {one.name: one for one in codes}
