// Crossbars of a layer, written from the contract of `bank` alone: inputs are words of a row, and a
// column adds cell times DAC value, row by row.
module their_bank #(
    parameter SIDE = 1, CELL = 1, DAC = 1, BITS = 1, UNITS = 1, COLUMNS = 1, LANES = 1,
    PART = 1, PARTS = 1, ROWS = 1, SUM = 1,
    UNIT = UNITS > 1 ? $clog2(UNITS) : 1, COLUMN = COLUMNS > 1 ? $clog2(COLUMNS) : 1,
    STEP = PARTS > 1 ? $clog2(PARTS) : 1, TURN = (COLUMNS - 1) / LANES + 1,
    SLOT = TURN > 1 ? $clog2(TURN) : 1, TAKES = (BITS - 1) / DAC + 1,
    TAKE = TAKES > 1 ? $clog2(TAKES) : 1, ROW = SIDE > 1 ? $clog2(SIDE) : 1
) (
    input ck,
    input cwe, input [COLUMN-1:0] ccol, input [STEP-1:0] cpart, input [PART-1:0] cdata,
    input [UNIT-1:0] cunit,
    input rwe, input [UNIT-1:0] runit, input [ROW-1:0] rfirst, input [$clog2(ROWS+1)-1:0] rcount,
    input [ROWS*BITS-1:0] rdata,
    input feed, input [TAKE-1:0] fbit, input hold, input ask_n, input [SLOT-1:0] slot,
    output reg [LANES*SUM-1:0] y
);
  reg [PART-1:0] cells[0:COLUMNS*PARTS-1];
  reg [UNIT-1:0] place[0:COLUMNS-1];
  reg [BITS-1:0] words[0:UNITS*SIDE-1];
  reg [DAC-1:0] driven[0:UNITS*SIDE-1], sampled[0:UNITS*SIDE-1];
  integer i, lane, column, r, p, bit_at, cell_value, total;
  always @(posedge ck) begin
    if (!ask_n)
      for (lane = 0; lane < LANES; lane = lane + 1) begin
        column = slot * LANES + lane;
        total = 0;
        if (column < COLUMNS)
          for (r = 0; r < SIDE; r = r + 1) begin
            cell_value = 0;
            for (p = 0; p < CELL; p = p + 1) begin
              bit_at = p * SIDE + r;
              if (cells[column*PARTS + bit_at/PART][bit_at%PART]) cell_value = cell_value + (1 << p);
            end
            total = total + cell_value * sampled[place[column]*SIDE + r];
          end
        y[lane*SUM +: SUM] <= total;
      end
    if (hold) for (i = 0; i < UNITS*SIDE; i = i + 1) sampled[i] <= driven[i];
    if (feed) for (i = 0; i < UNITS*SIDE; i = i + 1) driven[i] <= words[i] >> (fbit * DAC);
    if (rwe)
      for (i = 0; i < ROWS; i = i + 1)
        if (i < rcount) words[runit*SIDE + rfirst + i] <= rdata[i*BITS +: BITS];
    if (cwe) begin
      cells[ccol*PARTS + cpart] <= cdata;
      place[ccol] <= cunit;
    end
  end
endmodule
