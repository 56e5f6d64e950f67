// The accumulator of any one column and half holds the formula of the data sheet, modulo its bits:
// the start of the column, and its codes, each at its place, added, or subtracted where the column
// is flipped. An addition gives it in units of the lowest slice; only that of the top slice is signed.
module properties (
  input clk, input load, input [`SLOT-1:0] load_slot, input [`COLUMN-1:0] column,
  input convert, input [`SLOT-1:0] convert_slot, input convert_first,
  input [`SHIFT-1:0] convert_shift, input convert_half, input [`CODE-1:0] code,
  input [`INPUT_SUM-1:0] input_sum, input add, input [`SLOT-1:0] add_slot, input add_half
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire [`UNIT-1:0] unit;
  wire valid, first;
  wire signed [`VALUE-1:0] value;
  wire [`TARGET-1:0] target;
  `PART dut (
    .clk(clk), .rst(rst), .load(load), .load_slot(load_slot), .column(column),
    .convert(convert), .convert_slot(convert_slot), .convert_first(convert_first),
    .convert_shift(convert_shift), .convert_half(convert_half), .code(code), .unit(unit),
    .input_sum(input_sum), .add(add), .add_slot(add_slot), .add_half(add_half),
    .valid(valid), .value(value), .target(target), .first(first)
  );

  // Any column and half; one that never changes.
  (* anyconst *) reg [`SLOT-1:0] slot;
  (* anyconst *) reg half;

  // What was loaded for it: flip, first, slice, unit, target, the lowest field first.
  reg loaded = 0;
  reg [`COLUMN-1:0] own;
  wire own_flip = own[0];
  wire own_first = own[1];
  wire [`SLICE-1:0] own_slice = own[2 +: `SLICE];
  wire [`UNIT-1:0] own_unit = own[2 + `SLICE +: `UNIT];
  wire [`TARGET-1:0] own_target = own[2 + `SLICE + `UNIT +: `TARGET];
  wire own_top = own_slice == `SLICES - 1;
  always @* if (load) assume (column[2 +: `SLICE] < `SLICES);

  // The code of a conversion comes a cycle behind it.
  reg converts = 0, begins;
  reg [`SHIFT-1:0] places;
  wire signed [`ACCUMULATOR+3:0] start =
    (own_flip ? input_sum * ((1 << `CELL) - 1) : 0) - (own_top ? input_sum << `OFFSET : 0);
  reg known = 0;
  reg [`ACCUMULATOR-1:0] sum;
  wire [`ACCUMULATOR+3:0] before = begins ? start : sum;
  wire [`ACCUMULATOR+3:0] after = own_flip ? before - (code << places) : before + (code << places);
  wire loads = load && load_slot == slot;
  always @(posedge clk) begin
    converts <= !rst && convert && convert_slot == slot && convert_half == half;
    begins <= convert_first;
    places <= convert_shift;
    if (rst) begin
      loaded <= 0;
      known <= 0;
    end else begin
      if (loads) begin
        loaded <= 1;
        own <= column;
      end
      if (converts && loaded) begin
        known <= begins || known;
        sum <= after;
      end
      if (loads || !loaded) known <= 0;
    end
  end
  always @* if (begun && converts && loaded) assert (unit == own_unit);

  // What an addition gives in the next cycle.
  reg adds = 0;
  reg signed [`VALUE-1:0] wanted;
  reg [`TARGET:0] of;
  wire signed [`ACCUMULATOR:0] signed_sum = {own_top && sum[`ACCUMULATOR-1], sum};
  always @(posedge clk) begin
    adds <= !rst && add && known && add_slot == slot && add_half == half;
    wanted <= signed_sum <<< (own_slice * `CELL);
    of <= {own_first, own_target};
  end
  reg any = 0;
  always @(posedge clk) any <= !rst && add;
  always @* if (begun) begin
    assert (valid == any);
    if (adds) assert (value == wanted && {first, target} == of);
  end

  // For the induction: the registers of the part hold what the properties remember.
  `include "memory.v"
  (* hierconn *) wire \dut.convert_1 ;
  (* hierconn *) wire [`SLOT-1:0] \dut.slot_1 ;
  (* hierconn *) wire \dut.half_1 ;
  (* hierconn *) wire \dut.first_1 ;
  (* hierconn *) wire [`SHIFT-1:0] \dut.shift_1 ;
  reg [`ACCUMULATOR-1:0] stored;
  reg [`COLUMN-1:0] kept;
  integer each;
  always @* begin
    stored = 0;
    kept = 0;
    for (each = 0; each < 2 << `SLOT; each = each + 1)
      if ({half, slot} == each) stored = sums[each*`ACCUMULATOR +: `ACCUMULATOR];
    for (each = 0; each < 1 << `SLOT; each = each + 1)
      if (slot == each) kept = columns[each*`COLUMN +: `COLUMN];
    if (begun) begin
      assert (converts == (\dut.convert_1 && \dut.slot_1 == slot && \dut.half_1 == half));
      if (converts) assert (begins == \dut.first_1 && places == \dut.shift_1 );
      if (loaded) assert (kept == own && own_slice < `SLICES);
      if (known) assert (loaded && stored == sum);
    end
  end
endmodule
