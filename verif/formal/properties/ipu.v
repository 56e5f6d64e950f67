// A group of bytes takes its bit planes from the highest to the lowest, each wanted one once: those
// with a one, or all eight if planes of zeros are not skipped. A group without one takes plane 0.
module properties (input clk, input [8*`COMPARTMENTS-1:0] given);
  reg [8*`COMPARTMENTS-1:0] bytes;
  reg [7:0] issued = 0, seen = 0;
  wire [2:0] bit_index;
  wire [`COMPARTMENTS-1:0] bit_plane;
  wire last;
  wire [7:0] next;
  `PART dut (
    .bytes(bytes), .issued(issued), .bit_index(bit_index), .bit_plane(bit_plane), .last(last),
    .next(next)
  );

  always @(posedge clk) begin
    issued <= next;
    seen <= last ? 0 : seen | (1 << bit_index);
    if (last) bytes <= given;
  end

  reg [7:0] wanted, after;
  integer each;
  always @* begin
    wanted = `SKIPS ? 0 : 8'hff;
    for (each = 0; each < `COMPARTMENTS; each = each + 1) wanted = wanted | bytes[8*each +: 8];
    after = seen | (1 << bit_index);
    if (wanted == 0) begin
      assert (last && bit_index == 0 && bit_plane == 0);
    end else begin
      assert (wanted[bit_index] && !seen[bit_index]);
      for (each = 0; each < 8; each = each + 1)
        if (each > bit_index) assert (seen[each] == wanted[each]);
      assert (last == (after == wanted));
      for (each = 0; each < `COMPARTMENTS; each = each + 1)
        assert (bit_plane[each] == bytes[8*each + bit_index]);
    end
    // For the induction.
    assert (issued == seen && (seen & ~wanted) == 0 && (seen == 0 || seen != wanted));
  end
endmodule
