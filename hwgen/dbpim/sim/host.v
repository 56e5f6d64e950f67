// A host in Verilog: it resets the chip, loads a memory, starts a program several times, one after
// the other, and writes down what happened. No Python runs while the chip does.
//
// What it is told (numbers behind 0x-less %h are hexadecimal):
//   +memory=FILE        beats for $readmemh: program and images; `@` lines are beat numbers
//   +program=H +image=H +answers=H +scratch=H      byte addresses
//   +image_stride=H +answers_stride=H              bytes from one run's to the next one's
//   +runs=D             how many
//   +words=D            int32 words to report of the answers of each run
//   +events=FILE +stores=FILE                      where to write
//   +latency=D +stall=D +seed=D +error_address=H   as memory.v says
//   +reset_at=D         in this cycle of the first run, reset for two cycles and begin again
//   +limit=D            cycles after which a run counts as hanging (default a billion)
//   +most_stores=D      lines that a run writes into `stores` at most (default a billion)
//
// What it writes into `events`, a line each, all numbers decimal but those marked H. Cycles are
// those of the chip's counter: cycle 1 follows the one in which the start was accepted.
//   id H version              registers, once
//   start RUN
//   retire CYCLE COUNTS       a step is over; events since the line before, in the order of
//                             hwgen/dbpim/facts/events.py
//   rest COUNTS               events between the last retirement and the end of a run
//   end RUN STATUS ERROR CYCLES LOAD_CYCLES LAYERS   registers after the run
//   answer RUN INDEX H        int32 found in memory
//   reset                     the reset of +reset_at; RUN begins again
//   timeout                   the chip was still busy after +limit cycles; the last line
//   flood                     it stored more words than +most_stores; the last line
//   finish                    all runs are done; else the last line
//
// What it writes into `stores`: a line of hexadecimal digits for each word that is stored, all of
// the same length. Digits of each field:
//   start 4       number of `start` lines before it
//   cycle 10      when it is stored
//   core 2        that stores it privately; ff: a word on the write bus
//   kind 1        bit 0: raw, bit 1: to_memory
//   row 3, column 3, word 3, index 4      as the trace shows them
//   enable BYTES / 4, data 2 * BYTES      of a raw word 0
module host #(
    parameter integer PORT_BITS = 64,
    parameter integer MEMORY_BEATS = 1024,
    parameter integer CORES = 2,
    parameter integer MACROS = 2,
    parameter integer LANES = 2,  // of the write bus
    parameter integer BYTES = 8,  // of a word
    parameter integer FILTERS = 4,  // of a core
    parameter integer COLUMNS = 8,  // of cells in a macro
    parameter integer ROW_BITS = 10,
    parameter integer DATA_BITS = 256,
    parameter integer INDEX_BITS = 9
);
  localparam integer WRITE_BITS = DATA_BITS + BYTES + 3 * ROW_BITS + INDEX_BITS + 2;
  localparam integer PLACE_BITS = 2 * ROW_BITS + 1;  // row, column, active
  localparam integer VECTOR_BITS = MACROS * (8 * BYTES + PLACE_BITS) + BYTES + ROW_BITS + 1;
  localparam integer WORDS = PORT_BITS / 32;
  // Pulses of a core: one bit for each event of a cycle.
  localparam integer FILTERS_AT = 2 * MACROS, COLUMNS_AT = FILTERS_AT + MACROS * FILTERS;
  localparam integer GROUPS_AT = COLUMNS_AT + MACROS * COLUMNS, SWITCH_AT = GROUPS_AT + 3 * MACROS;
  localparam integer READS_AT = SWITCH_AT + 1 + BYTES, BYTES_AT = READS_AT + MACROS;
  localparam integer RESULTS_AT = BYTES_AT + MACROS * BYTES, ROWS_AT = RESULTS_AT + 4;
  localparam integer STORED_AT = ROWS_AT + MACROS, PULSES = STORED_AT + 4;

  reg clk = 0;
  reg rst = 1;
  always #5 clk = ~clk;

  // Registers of the chip, see hwgen/dbpim/facts/registers.py.
  localparam [11:0] ID = 'h00, VERSION = 'h04, CONTROL = 'h08, STATUS = 'h0c, ERROR = 'h10;
  localparam [11:0] PROGRAM_ADDRESS = 'h14, IMAGE_ADDRESS = 'h1c, ANSWERS_ADDRESS = 'h24;
  localparam [11:0] SCRATCH_ADDRESS = 'h2c, CYCLES = 'h34, LOAD_CYCLES = 'h3c, LAYERS = 'h44;

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

  wire retire, running;
  wire [LANES-1:0] write_valid;
  wire [LANES*WRITE_BITS-1:0] write;
  wire [CORES-1:0] private_valid;
  wire [CORES*VECTOR_BITS-1:0] private_write;
  wire [CORES*PULSES-1:0] pulses;

  dbpim_chip chip (
      .clk(clk), .rst(rst),
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
      .memory__bvalid(m_bvalid), .memory__bready(m_bready),
      .trace__write_valid(write_valid), .trace__write(write),
      .trace__private_valid(private_valid), .trace__private_write(private_write),
      .trace__retire(retire), .trace__running(running), .trace__events(pulses)
  );

  reg [31:0] latency = 1, stall = 0, seed = 0;
  reg [63:0] error_address = 64'hffff_ffff_ffff_ffff;
  memory #(.PORT_BITS(PORT_BITS), .BEATS(MEMORY_BEATS)) memory (
      .clk(clk), .rst(rst), .latency(latency), .stall(stall), .seed(seed),
      .error_address(error_address),
      .araddr(m_araddr), .arlen(m_arlen), .arsize(m_arsize), .arburst(m_arburst),
      .arvalid(m_arvalid), .arready(m_arready), .rdata(m_rdata), .rresp(m_rresp),
      .rlast(m_rlast), .rvalid(m_rvalid), .rready(m_rready),
      .awaddr(m_awaddr), .awlen(m_awlen), .awsize(m_awsize), .awburst(m_awburst),
      .awvalid(m_awvalid), .awready(m_awready), .wdata(m_wdata), .wstrb(m_wstrb),
      .wlast(m_wlast), .wvalid(m_wvalid), .wready(m_wready), .bresp(m_bresp),
      .bvalid(m_bvalid), .bready(m_bready)
  );

  // The count of cycles, by the handshake of the start write alone.
  reg [63:0] cycle = 0;
  wire started = awvalid && awready && awaddr == CONTROL;
  reg [63:0] limit = 1_000_000_000, most_stores = 1_000_000_000, stored = 0;
  reg late = 0;
  always @(posedge clk) begin
    cycle <= started ? 1 : cycle + 1;
    late <= !started && (cycle >= limit || stored > most_stores);
  end

  // What the trace shows. Events of a cycle count for the step that retires in it.
  integer events, stores;
  localparam integer EVENTS = 23;
  reg [63:0] counts[0:EVENTS-1];
  reg [PULSES-1:0] one;
  reg [15:0] starts = 0;
  localparam integer ENABLE_AT = DATA_BITS, ROW_AT = DATA_BITS + BYTES;
  localparam integer INDEX_AT = ROW_AT + 3 * ROW_BITS, PLACES_AT = MACROS * 8 * BYTES;
  localparam integer ENABLES_AT = PLACES_AT + MACROS * PLACE_BITS;
  integer core, macro, lane, each;
  reg [WRITE_BITS-1:0] word;
  reg [VECTOR_BITS-1:0] vector;
  reg [PLACE_BITS-1:0] place;
  always @(posedge clk) if (!rst) begin
    for (lane = 0; lane < LANES; lane = lane + 1)
      if (write_valid[lane]) begin
        word = write[lane*WRITE_BITS+:WRITE_BITS];
        store(8'hff, word[WRITE_BITS-2+:2], word[ROW_AT+:ROW_BITS],
              word[ROW_AT+ROW_BITS+:ROW_BITS], word[ROW_AT+2*ROW_BITS+:ROW_BITS],
              16'(word[INDEX_AT+:INDEX_BITS]), word[ENABLE_AT+:BYTES],
              word[WRITE_BITS-2] ? {(8*BYTES){1'b0}} : word[0+:8*BYTES]);
        count(20, word[WRITE_BITS-2] ? 4 * FILTERS : $countones(word[ENABLE_AT+:BYTES]));
      end
    for (core = 0; core < CORES; core = core + 1)
      if (private_valid[core]) begin
        vector = private_write[core*VECTOR_BITS+:VECTOR_BITS];
        for (macro = 0; macro < MACROS; macro = macro + 1) begin
          place = vector[PLACES_AT+macro*PLACE_BITS+:PLACE_BITS];
          if (place[2*ROW_BITS])
            store(8'(core), 2'b00, place[0+:ROW_BITS], place[ROW_BITS+:ROW_BITS],
                  vector[ENABLES_AT+BYTES+:ROW_BITS], 16'd0, vector[ENABLES_AT+:BYTES],
                  vector[macro*8*BYTES+:8*BYTES]);
        end
      end
    for (core = 0; core < CORES; core = core + 1) begin
      one = pulses[core*PULSES+:PULSES];
      if (one != 0) begin
        count(0, $countones(one[0+:MACROS]));
        count(1, $countones(one[MACROS+:MACROS]));
        count(2, $countones(one[FILTERS_AT+:MACROS*FILTERS]));
        count(3, $countones(one[COLUMNS_AT+:MACROS*COLUMNS]));
        for (each = 0; each < 3; each = each + 1)
          count(4 + each, $countones(one[GROUPS_AT+each*MACROS+:MACROS]));
        count(7, 32'(one[SWITCH_AT]));
        count(8, $countones(one[SWITCH_AT+1+:BYTES]));
        count(9, $countones(one[READS_AT+:MACROS]));
        count(10, $countones(one[BYTES_AT+:MACROS*BYTES]));
        for (each = 0; each < 4; each = each + 1) count(11 + each, 32'(one[RESULTS_AT+each]));
        count(15, $countones(one[ROWS_AT+:MACROS]));
        for (each = 0; each < 4; each = each + 1) count(16 + each, 32'(one[STORED_AT+each]));
      end
    end
    count(21, 32'(m_rvalid && m_rready));
    count(22, 32'(m_wvalid && m_wready));
    if (retire) begin
      $fwrite(events, "retire %0d", cycle);
      report_counts;
    end
  end

  task count(input integer event_number, input integer times);
    counts[event_number] = counts[event_number] + 64'(times);
  endtask

  task report_counts;
    integer number;
    for (number = 0; number < EVENTS; number = number + 1) begin
      $fwrite(events, " %0d", counts[number]);
      counts[number] = 0;
    end
    $fwrite(events, "\n");
  endtask

  task store(input [7:0] source, input [1:0] kind, input [ROW_BITS-1:0] row,
             input [ROW_BITS-1:0] column, input [ROW_BITS-1:0] word, input [15:0] index,
             input [BYTES-1:0] enable, input [8*BYTES-1:0] data);
    stored = stored + 1;
    if (stored <= most_stores)
      $fwrite(stores, "%h%h%h%h%h%h%h%h%h%h\n", starts, cycle[39:0], source, {2'b00, kind},
              12'(row), 12'(column), 12'(word), index, enable, data);
  endtask

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

  task write_register(input [11:0] where, input [31:0] what);
    begin
      awaddr = where;
      wdata = what;
      awvalid = 1;
      wvalid = 1;
      bready = 1;
      @(negedge clk);
      while (!b_taken) begin
        if (aw_taken) awvalid = 0;
        if (w_taken) wvalid = 0;
        @(negedge clk);
      end
      bready = 0;
      if (response != 0) $fatal(1, "host: writing register %h was refused", where);
    end
  endtask

  task write_address(input [11:0] where, input [63:0] what);
    begin
      write_register(where, what[31:0]);
      write_register(where + 4, what[63:32]);
    end
  endtask

  task read_register(input [11:0] where, output [31:0] what);
    begin
      araddr = where;
      arvalid = 1;
      rready = 1;
      @(negedge clk);
      while (!r_taken) begin
        if (ar_taken) arvalid = 0;
        @(negedge clk);
      end
      rready = 0;
      if (response != 0) $fatal(1, "host: reading register %h was refused", where);
      what = answer;
    end
  endtask

  task read_counter(input [11:0] where, output [63:0] what);
    begin
      read_register(where, what[31:0]);
      read_register(where + 4, what[63:32]);
    end
  endtask

  reg [8*1024-1:0] memory_file, events_file, stores_file;
  reg [63:0] program_address = 0, image_address = 0, answers_address = 0, scratch_address = 0;
  reg [63:0] image_stride = 0, answers_stride = 0;
  reg [63:0] reset_at = 0;
  integer runs = 1, words = 0;

  initial begin
    if (!$value$plusargs("memory=%s", memory_file)) $fatal(1, "host: +memory=FILE is missing");
    if (!$value$plusargs("events=%s", events_file)) $fatal(1, "host: +events=FILE is missing");
    if (!$value$plusargs("stores=%s", stores_file)) $fatal(1, "host: +stores=FILE is missing");
    if ($value$plusargs("program=%h", program_address)) begin end
    if ($value$plusargs("image=%h", image_address)) begin end
    if ($value$plusargs("answers=%h", answers_address)) begin end
    if ($value$plusargs("scratch=%h", scratch_address)) begin end
    if ($value$plusargs("image_stride=%h", image_stride)) begin end
    if ($value$plusargs("answers_stride=%h", answers_stride)) begin end
    if ($value$plusargs("runs=%d", runs)) begin end
    if ($value$plusargs("words=%d", words)) begin end
    if ($value$plusargs("latency=%d", latency)) begin end
    if ($value$plusargs("stall=%d", stall)) begin end
    if ($value$plusargs("seed=%d", seed)) begin end
    if ($value$plusargs("error_address=%h", error_address)) begin end
    if ($value$plusargs("reset_at=%d", reset_at)) begin end
    if ($value$plusargs("limit=%d", limit)) begin end
    if ($value$plusargs("most_stores=%d", most_stores)) begin end
    $readmemh(memory_file, memory.beats);
    events = $fopen(events_file, "w");
    stores = $fopen(stores_file, "w");
    reset;
    report_identity;
    for (run = 0; run < runs; run = run + 1) begin
      start;
      if (run == 0 && reset_at != 0) begin
        while (cycle != reset_at) @(negedge clk);
        reset;
        $fwrite(events, "reset\n");
        start;
      end
      wait_for_end;
      report;
    end
    $fwrite(events, "finish\n");
    close;
  end

  integer run, each_event;

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
    begin
      $fwrite(events, "start %0d\n", run);
      for (each_event = 0; each_event < EVENTS; each_event = each_event + 1)
        counts[each_event] = 0;
      starts = starts + 1;
      stored = 0;
      write_address(PROGRAM_ADDRESS, program_address);
      write_address(IMAGE_ADDRESS, image_address + run * image_stride);
      write_address(ANSWERS_ADDRESS, answers_address + run * answers_stride);
      write_address(SCRATCH_ADDRESS, scratch_address);
      write_register(CONTROL, 1);
    end
  endtask

  // Asks the chip only when its trace says that the run is over, so that nothing is driven before.
  task wait_for_end;
    reg [31:0] status;
    begin
      wait (running);
      wait (!running || late);
      @(negedge clk);
      read_register(STATUS, status);
      while (status[0] && !late) read_register(STATUS, status);
      if (stored > most_stores) begin
        $fwrite(events, "flood\n");
        close;
      end
      if (status[0]) begin
        $fwrite(events, "timeout\n");
        close;
      end
    end
  endtask

  task report_identity;
    reg [31:0] id, version;
    begin
      read_register(ID, id);
      read_register(VERSION, version);
      $fwrite(events, "id %h %0d\n", id, version);
    end
  endtask

  task report;
    reg [31:0] status, error, layers;
    reg [63:0] cycles, load_cycles, where;
    reg [PORT_BITS-1:0] beat;
    integer index;
    begin
      read_register(STATUS, status);
      read_register(ERROR, error);
      read_counter(CYCLES, cycles);
      read_counter(LOAD_CYCLES, load_cycles);
      read_register(LAYERS, layers);
      $fwrite(events, "rest");
      report_counts;
      $fwrite(events, "end %0d %0d %0d %0d %0d %0d\n", run, status, error, cycles, load_cycles,
              layers);
      for (index = 0; index < words; index = index + 1) begin
        where = (answers_address + run * answers_stride) / (PORT_BITS / 8) + index / WORDS;
        beat = memory.beats[where[0+:$clog2(MEMORY_BEATS)]];
        $fwrite(events, "answer %0d %0d %h\n", run, index, beat[32*(index%WORDS)+:32]);
      end
    end
  endtask
endmodule
