// A start leads to done or error: a run without progress ends, if the memory answers what it owes
// within ANSWER cycles, and so does its drain.
module properties (
  input clk, input start, input finished, input [3:0] loader_error, input read_error,
  input write_error, input [1:0] progress, input memory_idle, input memory_answers, input retire,
  input computes, input waits_for_load
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire running, stop, busy, done;
  wire [3:0] error;
  wire [63:0] cycles, load_cycles;
  wire [31:0] layers;
  `PART dut (
    .clk(clk), .rst(rst), .start(start), .finished(finished), .loader_error(loader_error),
    .read_error(read_error), .write_error(write_error), .progress(progress),
    .memory_idle(memory_idle), .memory_answers(memory_answers), .retire(retire),
    .computes(computes), .waits_for_load(waits_for_load), .running(running), .stop(stop),
    .busy(busy), .done(done), .error(error), .cycles(cycles), .load_cycles(load_cycles),
    .layers(layers)
  );

  // Progress and what the memory owes count a cycle later. Cycles of a run since its progress, those
  // in which the memory owed an answer, those of a drain.
  reg moved = 0, asked = 0;
  reg [5:0] still = 0, owed = 0, drains = 0;
  reg was_busy = 0, was_start = 0, owes = 0;
  always @(posedge clk) begin
    moved <= !rst && progress != 0;
    asked <= !rst && memory_answers;
    was_busy <= !rst && busy;
    was_start <= !rst && !busy && start;
    owes <= !rst && running && asked && !moved;
    still <= !rst && running && !moved ? still + 1 : 0;
    owed <= !rst && running && asked && !moved ? owed + 1 : 0;
    drains <= !rst && stop ? drains + 1 : 0;
  end
  always @* begin
    // What the memory owes it owes until it answers, which is progress.
    if (owes && running) assume (asked);
    assume (owed < `ANSWER || moved || !asked);
    assume (drains < `ANSWER || memory_idle);
  end

  always @* if (begun) begin
    assert (busy == (running || stop));
    if (was_start) assert (running && !done && error == 0);
    assert (still <= `WATCHDOG + `ANSWER);
    if (stop) assert (drains <= `ANSWER);
    if (was_busy && !busy) assert (done != (error != 0));
    if (done) assert (error == 0);
  end

  // For the induction: how far the watchdog is from its end.
  (* hierconn *) wire [2:0] \dut.quiet ;
  (* hierconn *) wire \dut.goes_on , \dut.owed ;
  (* hierconn *) wire [1:0] \dut.fsm_state ;
  wire [2:0] distance = `WATCHDOG - 1 - \dut.quiet ;
  always @* if (begun) begin
    assert (\dut.fsm_state < 3 && moved == \dut.goes_on && asked == \dut.owed );
    assert (owed <= `ANSWER && !(running && stop));
    if (running) begin
      assert (still + distance <= `WATCHDOG - 1 + owed);
      assert (!done && error == 0);
      assert ((owed != 0) == owes);
    end
    if (stop) assert (!done);
  end
endmodule
