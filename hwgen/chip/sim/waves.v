// Waves of a window of clock cycles, counted from the start of the simulation: +waves_from=100
// +waves_to=200 write cycles 100 to 200. Pasted into a module that has `clk`, in builds with waves.
reg [63:0] waves_cycle = 0;
reg [63:0] waves_from = 0;
reg [63:0] waves_to = 64'hffff_ffff_ffff_ffff;
reg [8*1024-1:0] waves_file;

initial begin
  if (!$value$plusargs("waves_from=%d", waves_from)) waves_from = 0;
  if (!$value$plusargs("waves_to=%d", waves_to)) waves_to = 64'hffff_ffff_ffff_ffff;
  if (!$value$plusargs("waves_file=%s", waves_file)) waves_file = "waves.vcd";
  $dumpfile(waves_file);
  if (waves_from == 0) $dumpvars;
end

always @(posedge clk) begin
  waves_cycle <= waves_cycle + 1;
  if (waves_from != 0 && waves_cycle + 1 == waves_from) $dumpvars;
  if (waves_cycle == waves_to) begin
`ifdef VERILATOR
    $c("vlSymsp->_traceDumpClose();");  // it accepts $dumpoff and goes on writing
`else
    $dumpoff;
`endif
  end
end
