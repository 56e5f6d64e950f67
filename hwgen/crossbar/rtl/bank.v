// All crossbars of one layer in one macro, with what is analog around them and their input
// registers: cells, DACs, sample-and-hold circuits and column multiplexers. A model of a real
// array can replace this module.
//
// A column has SIDE cells of CELL bits, of which bit p is plane p; a unit has SIDE inputs of BITS
// bits, kept as bit planes.${pair} At `feed` the DACs of every unit take DAC bits of each input from bit
// feed_bit * DAC on; at `hold` the sample-and-hold circuits take what the DACs fed. At `ask` the
// columns slot * LANES and behind are chosen, and their sums are in `sums` from the next clock on.
// What a clock writes or feeds is seen from the next clock on.
//
// Loops over lanes and units stay loops in a simulator: else it writes C++ for each of them.
module ${name} (${port_names});
${ports}

  localparam integer SIDE = ${side}, CELL = ${cell_bits}, DAC = ${dac_bits}, BITS = ${input_bits};
  localparam integer UNITS = ${units}, COLUMNS = ${columns}, LANES = ${lanes};
  localparam integer PART = ${part_bits}, PARTS = ${parts}, ROWS = ${rows}, SUM = ${sum_bits};

  reg [PARTS*PART-1:0] cells [0:COLUMNS-1];
  integer unit_of [0:COLUMNS-1];
  reg [SIDE-1:0] inputs [0:UNITS*BITS-1];
  reg [SIDE-1:0] fed [0:UNITS*DAC-1];
  reg [SIDE-1:0] held [0:UNITS*DAC-1];
  reg [LANES*SUM-1:0] sums;${offsets}

  reg [SIDE-1:0] mask, plane;
  reg [PARTS*PART-1:0] chosen;
  integer lane, column, unit, total, b, p, e;

  always @(posedge clk) begin
    if (ask) begin
      /* verilator unroll_disable */
      for (lane = 0; lane < LANES; lane = lane + 1) begin
        column = slot * LANES + lane;
        if (column < COLUMNS) begin
          chosen = cells[column];
          total = ${start};
          for (p = 0; p < CELL; p = p + 1)
            for (b = 0; b < DAC; b = b + 1) begin
              // By itself: Icarus 11 counts wrong ones in an expression of words of an array.
              plane = chosen[p*SIDE +: SIDE] & held[unit_of[column]*DAC + b];
              total = total + ($$countones(plane) << (p + b));${negative}
            end
          sums[lane*SUM +: SUM] = total[SUM-1:0];
        end else
          sums[lane*SUM +: SUM] = 0;
      end
    end
    if (hold) begin
      /* verilator unroll_disable */
      for (unit = 0; unit < UNITS * DAC; unit = unit + 1)
        held[unit] = fed[unit];
    end
    if (feed) begin
      /* verilator unroll_disable */
      for (unit = 0; unit < UNITS; unit = unit + 1)
        for (b = 0; b < DAC; b = b + 1) begin
          p = feed_bit * DAC + b;
          fed[unit*DAC + b] = p < BITS ? inputs[unit*BITS + (p < BITS ? p : 0)] : 0;
        end
    end
    if (row_write) begin
      mask = ~({SIDE{1'b1}} << row_count) << row_first;
      for (b = 0; b < BITS; b = b + 1) begin
        plane = 0;
        for (e = 0; e < ROWS; e = e + 1)
          plane[e] = row_data[e*BITS + b];
        unit = row_unit * BITS + b;
        inputs[unit] = (inputs[unit] & ~mask) | ((plane << row_first) & mask);
      end
    end${converter}
    if (cell_write) begin
      chosen = cells[cell_column];
      chosen[cell_part*PART +: PART] = cell_data;
      cells[cell_column] = chosen;
      unit_of[cell_column] = {{(32 - $$bits(cell_unit)){1'b0}}, cell_unit};
    end
  end
endmodule
