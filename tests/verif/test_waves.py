"""Waves are read by clock cycle: a signal has the value from before the edge that ends it."""

from pathlib import Path

import pytest

from verif.waves import Trace

WAVES = """$timescale 1ps $end
$scope module top $end
 $var wire 1 ! clk $end
 $scope module part $end
  $var wire 4 " number [3:0] $end
  $var wire 1 # go $end
 $upscope $end
$upscope $end
$enddefinitions $end
#0
0!
bxxxx "
1#
#5
b0011 "
1!
0#
#10
0!
#15
1#
b1010 "
1!
#20
0!
#25
1!
"""


@pytest.mark.promise("the timing diagrams of the MRAM chip are those of a simulation")
def test_values_are_those_before_the_edge(tmp_path: Path) -> None:
    (tmp_path / "waves.vcd").write_text(WAVES, encoding="utf-8")
    trace = Trace(tmp_path / "waves.vcd", clock="top.clk")
    assert len(trace) == 3
    assert [trace.value("top.part.number", cycle) for cycle in range(3)] == [0, 3, 10]
    assert [trace.value("top.part.go", cycle) for cycle in range(3)] == [1, 0, 1]
    assert trace.starts("top.part.go") == [0, 2]
    assert trace.starts("top.part.go", after=1) == [2]
