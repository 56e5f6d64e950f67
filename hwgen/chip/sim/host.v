// A host in Verilog: it resets a chip, loads a memory, follows a script of register accesses, starts
// the chip, and writes down what happened. No Python runs while the chip does.
//
// Lines that begin with `// insert:` are replaced: sizes and offsets come from the family's tables,
// `watch` is the part of the family that sees the trace.
//
// What it is told (numbers behind %h are hexadecimal):
//   +memory=FILE        beats for $readmemh: programs and images; `@` lines are beat numbers
//   +script=FILE        what the host does, a line each: OPERATION A B C, hexadecimal
//       1 OFFSET VALUE 0            writes a register
//       2 NUMBER KIND 0             starts the chip, and waits until it runs
//       3 IMAGES OFFSET VALUE       writes a register when so many images of the run have begun
//       4 0 0 0                     waits for the end
//       5 OFFSET 0 0                reads a register
//       6 LABEL BEAT WORDS          reports 32-bit words of the memory
//   +events=FILE +stores=FILE      files to write
//   +latency=D +stall=D +stall_seed=D +error_address=H   of the memory, see memory.v
//   +reset_at=D         in this cycle of the first start of kind 0, reset for two cycles and begin
//                       the script again
//   +limit=D            cycles after which a start counts as hanging (default a billion)
//   +most_stores=D      lines that a start writes into `stores` at most (default a billion)
//
// What it writes into `events`, a line each:
//   start NUMBER KIND
//   image CYCLE                 an image of the run has begun
//   retire CYCLE TAG COUNTS     a step is over; events since the line before, in the order of the
//                               family's table; the tag is the family's
//   rest COUNTS                 events between the last retirement and the end
//   read OFFSET-H VALUE-H       of a register
//   answer LABEL INDEX H        32-bit word found in memory
//   reset                       the reset of +reset_at; the script begins again
//   timeout                     the chip was still busy after +limit cycles; the last line
//   flood                       it stored more words than +most_stores; the last line
//   touched FIRST LAST MET      bytes of the memory from the first to the last one that were read or
//                               written; whether +error_address is among them
//   finish                      the script is done; else the last line
//
// A register that does not answer, and a chip that does not start, end the simulation.

module host;
  // insert: sizes
  localparam integer WORDS = PORT_BITS / 32;
  localparam integer ANSWER_CYCLES = 10_000;  // of a register, and of a chip that is started

  reg clk = 0;
  reg rst = 1;
  always #5 clk = ~clk;

  reg [11:0] awaddr = 0, araddr = 0;
  reg [31:0] wdata = 0;
  reg awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  wire [63:0] m_araddr, m_awaddr;
  wire [7:0] m_arlen, m_awlen;
  wire [2:0] m_arsize, m_awsize;
  wire [1:0] m_arburst, m_awburst, m_rresp, m_bresp;
  wire m_arvalid, m_arready, m_rlast, m_rvalid, m_rready;
  wire m_awvalid, m_awready, m_wlast, m_wvalid, m_wready, m_bvalid, m_bready;
  wire [PORT_BITS-1:0] m_rdata, m_wdata;
  wire [PORT_BITS/8-1:0] m_wstrb;

  // The count of cycles, by the handshake of the start write alone.
  reg [63:0] cycle = 0;
  wire started = awvalid && awready && awaddr == CONTROL;
  reg [63:0] limit = 1_000_000_000, most_stores = 1_000_000_000, stored = 0;
  reg late = 0;
  always @(posedge clk) begin
    cycle <= started ? 1 : cycle + 1;
    late <= !started && (cycle >= limit || stored > most_stores);
  end

  integer events, stores;
  reg [15:0] starts = 0;
  reg [31:0] begun = 0;  // images of the start
  reg [63:0] counts[0:EVENTS-1];

  task count(input integer number, input integer times);
    counts[number] = counts[number] + 64'(times);
  endtask

  // Events of a cycle count for the step that retires in it: `watch` calls this last.
  task retired(input [31:0] tag);
    begin
      $fwrite(events, "retire %0d %0d", cycle, tag);
      report_counts;
    end
  endtask

  task image_begun;
    begin
      $fwrite(events, "image %0d\n", cycle);
      begun = begun + 1;
    end
  endtask

  task report_counts;
    integer number;
    for (number = 0; number < EVENTS; number = number + 1) begin
      $fwrite(events, " %0d", counts[number]);
      counts[number] = 0;
    end
    $fwrite(events, "\n");
  endtask

  // The family's part: it declares the wires of the trace and `running`.
  // insert: watch

  // insert: chip
      .clk(clk), .rst(rst), .irq(),
      .registers__awaddr(awaddr), .registers__awprot(3'd0), .registers__awvalid(awvalid),
      .registers__awready(awready), .registers__wdata(wdata), .registers__wstrb(4'hf),
      .registers__wvalid(wvalid), .registers__wready(wready), .registers__bresp(bresp),
      .registers__bvalid(bvalid), .registers__bready(bready), .registers__araddr(araddr),
      .registers__arprot(3'd0), .registers__arvalid(arvalid), .registers__arready(arready),
      .registers__rdata(rdata), .registers__rresp(rresp), .registers__rvalid(rvalid),
      .registers__rready(rready),
      .memory__arid(), .memory__araddr(m_araddr), .memory__arlen(m_arlen),
      .memory__arsize(m_arsize), .memory__arburst(m_arburst), .memory__arvalid(m_arvalid),
      .memory__arready(m_arready), .memory__rid(1'b0), .memory__rdata(m_rdata),
      .memory__rresp(m_rresp), .memory__rlast(m_rlast), .memory__rvalid(m_rvalid),
      .memory__rready(m_rready), .memory__awid(), .memory__awaddr(m_awaddr),
      .memory__awlen(m_awlen), .memory__awsize(m_awsize), .memory__awburst(m_awburst),
      .memory__awvalid(m_awvalid), .memory__awready(m_awready), .memory__wdata(m_wdata),
      .memory__wstrb(m_wstrb), .memory__wlast(m_wlast), .memory__wvalid(m_wvalid),
      .memory__wready(m_wready), .memory__bid(1'b0), .memory__bresp(m_bresp),
      .memory__bvalid(m_bvalid), .memory__bready(m_bready)
  );

  reg [31:0] latency = 1, stall = 0, stall_seed = 0;
  reg [63:0] error_address = 64'hffff_ffff_ffff_ffff;
  memory #(.PORT_BITS(PORT_BITS), .BEATS(MEMORY_BEATS)) memory (
      .clk(clk), .rst(rst), .latency(latency), .stall(stall), .seed(stall_seed),
      .error_address(error_address),
      .araddr(m_araddr), .arlen(m_arlen), .arsize(m_arsize), .arburst(m_arburst),
      .arvalid(m_arvalid), .arready(m_arready), .rdata(m_rdata), .rresp(m_rresp),
      .rlast(m_rlast), .rvalid(m_rvalid), .rready(m_rready),
      .awaddr(m_awaddr), .awlen(m_awlen), .awsize(m_awsize), .awburst(m_awburst),
      .awvalid(m_awvalid), .awready(m_awready), .wdata(m_wdata), .wstrb(m_wstrb),
      .wlast(m_wlast), .wvalid(m_wvalid), .wready(m_wready), .bresp(m_bresp),
      .bvalid(m_bvalid), .bready(m_bready)
  );

  // Handshakes are seen at rising edges; the tasks below look and drive at falling ones.
  reg aw_taken, w_taken, b_taken, ar_taken, r_taken;
  reg [1:0] response;
  reg [31:0] answer;
  always @(posedge clk) begin
    aw_taken <= awvalid && awready;
    w_taken <= wvalid && wready;
    b_taken <= bvalid && bready;
    ar_taken <= arvalid && arready;
    r_taken <= rvalid && rready;
    if (bvalid) response <= bresp;
    if (rvalid) begin
      response <= rresp;
      answer <= rdata;
    end
  end

  integer waited;

  // Counts a cycle in which the chip does not answer.
  task wait_for_answer(input [11:0] where);
    begin
      @(negedge clk);
      waited = waited + 1;
      if (waited > ANSWER_CYCLES)
        $fatal(1, "host: register %h must answer within %0d cycles", where, ANSWER_CYCLES);
    end
  endtask

  task write_register(input [11:0] where, input [31:0] what);
    begin
      waited = 0;
      awaddr = where;
      wdata = what;
      awvalid = 1;
      wvalid = 1;
      bready = 1;
      @(negedge clk);
      while (!b_taken) begin
        if (aw_taken) awvalid = 0;
        if (w_taken) wvalid = 0;
        wait_for_answer(where);
      end
      bready = 0;
      if (response != 0) $fatal(1, "host: writing register %h was refused", where);
    end
  endtask

  task read_register(input [11:0] where, output [31:0] what);
    begin
      waited = 0;
      araddr = where;
      arvalid = 1;
      rready = 1;
      @(negedge clk);
      while (!r_taken) begin
        if (ar_taken) arvalid = 0;
        wait_for_answer(where);
      end
      rready = 0;
      if (response != 0) $fatal(1, "host: reading register %h was refused", where);
      what = answer;
    end
  endtask

  reg [8*1024-1:0] memory_file, script_file, events_file, stores_file;
  reg [63:0] reset_at = 0;
  integer script, fields;
  reg [31:0] operation, read_value;
  reg [63:0] a, b, c;

  initial begin
    if (!$value$plusargs("memory=%s", memory_file)) $fatal(1, "host: +memory=FILE is missing");
    if (!$value$plusargs("script=%s", script_file)) $fatal(1, "host: +script=FILE is missing");
    if (!$value$plusargs("events=%s", events_file)) $fatal(1, "host: +events=FILE is missing");
    if (!$value$plusargs("stores=%s", stores_file)) $fatal(1, "host: +stores=FILE is missing");
    if ($value$plusargs("latency=%d", latency)) begin end
    if ($value$plusargs("stall=%d", stall)) begin end
    if ($value$plusargs("stall_seed=%d", stall_seed)) begin end
    if ($value$plusargs("error_address=%h", error_address)) begin end
    if ($value$plusargs("reset_at=%d", reset_at)) begin end
    if ($value$plusargs("limit=%d", limit)) begin end
    if ($value$plusargs("most_stores=%d", most_stores)) begin end
    $readmemh(memory_file, memory.beats);
    events = $fopen(events_file, "w");
    stores = $fopen(stores_file, "w");
    script = $fopen(script_file, "r");
    reset;
    fields = $fscanf(script, "%h %h %h %h\n", operation, a, b, c);
    while (fields == 4) begin
      case (operation)
        1: write_register(a[11:0], b[31:0]);
        2: start;
        3: begin
          wait (begun >= a[31:0] || !running || late);
          @(negedge clk);
          if (running) write_register(b[11:0], c[31:0]);
        end
        4: wait_for_end;
        5: begin
          read_register(a[11:0], read_value);
          $fwrite(events, "read %h %h\n", a[11:0], read_value);
        end
        6: report_words;
        default: $fatal(1, "host: the script has no operation %0d", operation);
      endcase
      fields = $fscanf(script, "%h %h %h %h\n", operation, a, b, c);
    end
    $fwrite(events, "touched %0d %0d %0d\n", memory.first, memory.last, memory.error_met);
    $fwrite(events, "finish\n");
    close;
  end

  task close;
    begin
      $fclose(stores);
      $fclose(events);
      $finish;
    end
  endtask

  task reset;
    begin
      rst = 1;
      repeat (2) @(negedge clk);
      rst = 0;
      @(negedge clk);
    end
  endtask

  task start;
    integer number;
    begin
      $fwrite(events, "start %0d %0d\n", a, b);
      for (number = 0; number < EVENTS; number = number + 1) counts[number] = 0;
      starts = starts + 1;
      stored = 0;
      begun = 0;
      write_register(CONTROL, 1);
      if (reset_at != 0 && b == 0) begin
        while (cycle < reset_at) @(negedge clk);
        reset_at = 0;
        reset;
        $fwrite(events, "reset\n");
        $fclose(script);
        script = $fopen(script_file, "r");
      end else begin
        waited = 0;
        while (!running) begin
          if (waited == ANSWER_CYCLES)
            $fatal(1, "host: the chip must start within %0d cycles", ANSWER_CYCLES);
          waited = waited + 1;
          @(negedge clk);
        end
      end
    end
  endtask

  // Asks the chip only when its trace says that the run is over, so that nothing is driven before.
  task wait_for_end;
    begin
      wait (!running || late);
      @(negedge clk);
      read_register(STATUS, read_value);
      while (read_value[0] && !late) read_register(STATUS, read_value);
      if (stored > most_stores) begin
        $fwrite(events, "flood\n");
        close;
      end
      if (read_value[0]) begin
        $fwrite(events, "timeout\n");
        close;
      end
      $fwrite(events, "rest");
      report_counts;
    end
  endtask

  task report_words;
    reg [63:0] where;
    reg [PORT_BITS-1:0] beat;
    integer index;
    for (index = 0; index < c[31:0]; index = index + 1) begin
      where = b + index / WORDS;
      beat = memory.beats[where[0+:$clog2(MEMORY_BEATS)]];
      $fwrite(events, "answer %0d %0d %h\n", a, index, beat[32*(index%WORDS)+:32]);
    end
  endtask
endmodule
