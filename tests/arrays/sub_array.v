// A sub-array of three word lines, written from the contract of `sub_array` alone: each column
// counts its ones, and a comparator per reference looks at the count.
module their_sub_array #(parameter ROWS = 1, COLUMNS = 1, SLICES = 1, BITS = $clog2(ROWS)) (
    input ck,
    input [SLICES-1:0] wl,
    input [BITS-1:0] wa,
    input [COLUMNS-1:0] wd,
    input [BITS-1:0] ra, rb, rc,
    input [1:0] lines,
    input ref_r, ref_a2, ref_o3, ref_m, ref_a3_n,
    output [COLUMNS-1:0] sa, co
);
  localparam SLICE = COLUMNS / SLICES;
  reg [COLUMNS-1:0] mram[0:ROWS-1];
  integer s;
  always @(posedge ck)
    for (s = 0; s < SLICES; s = s + 1)
      if (wl[s]) mram[wa][s*SLICE +: SLICE] <= wd[s*SLICE +: SLICE];
  wire [COLUMNS-1:0] a = mram[ra], b = mram[rb], c = mram[rc];
  genvar k;
  generate
    for (k = 0; k < COLUMNS; k = k + 1) begin : column
      wire [1:0] ones = (lines > 0 ? {1'b0, a[k]} : 2'd0) + (lines > 1 ? {1'b0, b[k]} : 2'd0)
          + (lines > 2 ? {1'b0, c[k]} : 2'd0);
      assign co[k] = ref_m && ones > 1;
      assign sa[k] = (ref_r && ones > 0) || (ref_a2 && ones > 1) || (ref_o3 && ones > 0 && !co[k])
          || (!ref_a3_n && ones == 3);
    end
  endgenerate
endmodule
