// A flit that came leaves in the next clock, unchanged, by the exits of the last header before it
// at its port, itself if it is one, and by no others. Where two want one exit, a clash is told.
module properties (
  input clk, input [6*`NUMBERS-1:0] exits, input [6*(`BITS+2)-1:0] inputs
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  localparam FLIT = `BITS + 2;
  wire [6*FLIT-1:0] outputs;
  wire clash;
  `PART dut (
    .clk(clk), .rst(rst), .exits(exits), .inputs(inputs), .outputs(outputs), .clash(clash)
  );

  // A flit: valid, head, data, the lowest field first; a header has its number lowest.
  reg [35:0] held, way, way_before;
  reg [6*FLIT-1:0] came;
  reg after_reset = 0;
  integer port, exit;
  always @*
    for (port = 0; port < 6; port = port + 1) begin
      way[6*port +: 6] = 0;
      if (inputs[port*FLIT] && inputs[port*FLIT + 1]) begin
        assume (inputs[port*FLIT + 2 +: 10] < `NUMBERS);
        for (exit = 0; exit < `NUMBERS; exit = exit + 1)
          if (inputs[port*FLIT + 2 +: 10] == exit) way[6*port +: 6] = exits[6*exit +: 6];
      end else if (inputs[port*FLIT]) way[6*port +: 6] = held[6*port +: 6];
    end

  integer each;
  always @(posedge clk) begin
    after_reset <= rst;
    came <= inputs;
    way_before <= way;
    for (each = 0; each < 6; each = each + 1)
      if (rst) held[6*each +: 6] <= 0;
      else if (inputs[each*FLIT] && inputs[each*FLIT + 1])
        held[6*each +: 6] <= way[6*each +: 6];
  end

  reg any;
  reg [2:0] number, last;
  integer out, source;
  always @* begin
    any = 0;
    for (out = 0; out < 6; out = out + 1) begin
      number = 0;
      last = 0;
      for (source = 0; source < 6; source = source + 1)
        if (way_before[6*source + out]) begin
          number = number + 1;
          last = source;
        end
      if (begun && !after_reset && number == 0) assert (outputs[out*FLIT +: FLIT] == 0);
      if (number > 1) any = 1;
      for (source = 0; source < 6; source = source + 1)
        if (begun && !after_reset && number == 1 && last == source)
          assert (outputs[out*FLIT +: FLIT] == came[source*FLIT +: FLIT]);
    end
    if (begun && !after_reset) assert (clash == any);
  end

  // For the induction: what the part holds.
  (* hierconn *) wire [5:0] \dut.held0 ;
  (* hierconn *) wire [5:0] \dut.held1 ;
  (* hierconn *) wire [5:0] \dut.held2 ;
  (* hierconn *) wire [5:0] \dut.held3 ;
  (* hierconn *) wire [5:0] \dut.held4 ;
  (* hierconn *) wire [5:0] \dut.held5 ;
  always @* if (begun)
    assert (held == {\dut.held5 , \dut.held4 , \dut.held3 , \dut.held2 , \dut.held1 , \dut.held0 });
endmodule
