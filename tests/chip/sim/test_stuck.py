"""Stuck cells: memories of a chip, cells that are drawn, what the Verilog of a memory becomes."""

from collections import Counter
from dataclasses import replace

from hwgen.chip.sim.stuck import CellArray, cell_arrays, drawn_cells, may_stick

MEMORY = """\
module words(
  input clk,
  input write_en,
  input [1:0] write_index,
  input [7:0] write_data,
  input [1:0] read_index,
  output [7:0] read_data
);
  reg [7:0] content [3:0];
  assign read_data = content[read_index];
  always @(posedge clk) begin
    if (write_en) begin
      content[write_index][7:0] <= write_data;
    end
  end
endmodule
"""
PAIR = """\
module pair(
  input clk
);
  words low (
    .clk(clk)
  );
  words high (
    .clk(clk)
  );
endmodule
"""
TOP = """\
module top(
  input clk
);
  pair inner (
    .clk(clk)
  );
  words own (
    .clk(clk)
  );
endmodule
"""
MODULES = {"words": MEMORY, "pair": PAIR, "top": TOP}


def test_each_memory_has_the_path_of_its_instance() -> None:
    arrays = cell_arrays(MODULES, "top")
    assert {array.path for array in arrays} == {"inner.low", "inner.high", "own"}
    assert all((each.module, each.words, each.bits) == ("words", 4, 8) for each in arrays)
    assert all(each.cells == each.counted == 32 for each in arrays)


def test_only_a_memory_gets_a_stuck_cell_and_only_its_reads_change() -> None:
    text = may_stick(MEMORY)
    assert "content[write_index][7:0] <= write_data;" in text
    assert "assign read_data = content[read_index];" not in text
    assert "(stuck_word == read_index ?" in text
    assert may_stick(PAIR).endswith(PAIR)
    assert "stuck" not in may_stick(PAIR)


def test_cells_that_count_are_drawn_evenly_and_none_twice() -> None:
    narrow = CellArray(path="a", module="m", words=3, bits=8, read_bits=2)
    arrays = [replace(narrow, path="left_out", read_bits=0), narrow, replace(narrow, path="b")]
    cells = drawn_cells(arrays, 100, 1)
    assert len(cells) == 2 * (6 + 6)
    assert Counter(each.array.path for each in cells) == {"a": 12, "b": 12}
    assert len(set(cells)) == len(cells)
    assert {each.bit for each in cells} == {0, 1}
    assert {each.word for each in cells} == {0, 1, 2}
    large = replace(narrow, words=1000, read_bits=8)
    few = drawn_cells([large, replace(large, path="c", words=3000)], 400, 2)
    shares = Counter(each.array.path for each in few)
    assert 100 < shares["a"] < 300 < shares["c"]
    assert drawn_cells([large], 9, 3) == drawn_cells([large], 9, 3) != drawn_cells([large], 9, 4)


def test_a_simulation_is_told_the_place_of_the_cell() -> None:
    array = CellArray(path="core.words", module="m", words=3, bits=8, read_bits=8)
    cell = drawn_cells([array], 1, 1)[1]
    assert cell.plusargs == {
        "stuck_path": "host.chip.core.words",
        "stuck_word": cell.word,
        "stuck_bit": cell.bit,
        "stuck_value": 1,
    }
