// A host in Verilog: it resets the MRAM chip, loads a memory, has the chip load its program, starts
// runs of images one after the other, and writes down what happened. No Python runs meanwhile.
//
// What it is told (numbers behind %h are hexadecimal):
//   +memory=FILE        beats for $readmemh: programs and images; `@` lines are beat numbers
//   +modes=FILE         for $readmemh: the mode of each image
//   +program=H +image=H +answer=H                  byte addresses
//   +tables=H           of a program without weight rows that is loaded after the first; 0: none
//   +image_stride=H +answer_stride=H               bytes from one image's to the next one's
//   +runs=D +images=D +total=D                     runs, images of a run, images of all runs
//   +words=D            32-bit words to report of the answer of each image
//   +events=FILE +stores=FILE                      where to write
//   +latency=D +stall=D +seed=D +error_address=H   as memory.v says
//   +reset_at=D         in this cycle of the first run, reset for two cycles, load and begin again
//   +limit=D            cycles after which a command counts as hanging (default a billion)
//   +most_stores=D      lines that a command writes into `stores` at most (default a billion)
//
// What it writes into `events`, a line each, all numbers decimal but those marked H. Cycles are
// those of the chip's counter: cycle 1 follows the one in which the start was accepted.
//   id H version               registers, once
//   load ADDRESS-H             start of LOAD
//   start RUN                  start of a run
//   image CYCLE                the mode of an image is taken
//   retire CYCLE MODE RECORD COUNTS   a record is over; events since the line before, in the order
//                              of hwgen/mram/facts/events.py
//   rest COUNTS                events between the last retirement and the end of a command
//   end STATUS ERROR CYCLES LOAD_CYCLES LAYERS IMAGES_DONE ACTIVE_MODE AND_OPERATIONS
//       INPUT_ROW_WRITES WEIGHT_ROW_WRITES REFUSED_ROW_WRITES   registers after a command
//   answer IMAGE INDEX H       32-bit word found in memory
//   reset                      the reset of +reset_at; LOAD and run 0 begin again
//   timeout                    the chip was still busy after +limit cycles; the last line
//   flood                      it stored more words than +most_stores; the last line
//   finish                     all runs are done; else the last line
//
// What it writes into `stores`: a line of hexadecimal digits for each write to a bank or to the
// answer buffer, all of the same length. Digits of each field:
//   start 4       number of `start` lines before it
//   cycle 10      when it is written
//   place 1       0 to 3: bank; 4: answer buffer
//   row 4         of the bank; of the answer buffer a block
//   mask MASK_DIGITS, data DATA_DIGITS      one bit of the mask for each element
module host #(
    parameter integer PORT_BITS = 64,
    parameter integer MEMORY_BEATS = 1024,
    parameter integer OCTETS = 4,
    parameter integer BLOCK = 2,
    parameter integer SEGMENTS = 3,
    parameter integer COLUMNS = 64,
    parameter integer ROW_BITS = 6,
    parameter integer ELEMENTS = 8,  // of a row of a bank
    parameter integer RECORD_BITS = 6,
    parameter integer INDEX_BITS = 3,  // of a block of the answer buffer
    parameter integer ANSWER_BITS = 32
);
  localparam integer COUNT_BITS = $clog2(BLOCK + 1);
  localparam integer BANK_BITS = 2 + ROW_BITS + ELEMENTS + COLUMNS;
  localparam integer WORD_BITS = INDEX_BITS + BLOCK + BLOCK * ANSWER_BITS;
  localparam integer OCTET_BITS = 6 * COUNT_BITS + 2;
  // Places of the fields of the trace, see hwgen/mram/rtl/layouts.py.
  localparam integer MODE_AT = 3, RECORD_AT = 6, ACTIVE_AT = RECORD_AT + RECORD_BITS;
  localparam integer JOIN_AT = ACTIVE_AT + 2 * SEGMENTS, ADD_AT = JOIN_AT + SEGMENTS;
  localparam integer PLANE_AT = ADD_AT + SEGMENTS, SUM_AT = PLANE_AT + 1;
  localparam integer RESULT_AT = SUM_AT + COUNT_BITS, READ_AT = RESULT_AT + COUNT_BITS;
  localparam integer BANK_VALID_AT = READ_AT + 3, BANK_AT = BANK_VALID_AT + 1;
  localparam integer WORD_VALID_AT = BANK_AT + BANK_BITS, WORD_AT = WORD_VALID_AT + 1;
  localparam integer OCTETS_AT = WORD_AT + WORD_BITS;
  localparam integer TRACE_BITS = OCTETS_AT + OCTETS * OCTET_BITS;
  localparam integer WORDS = PORT_BITS / 32;
  localparam integer MASK_DIGITS = (ELEMENTS + 3) / 4;
  localparam integer WIDEST = COLUMNS > BLOCK * ANSWER_BITS ? COLUMNS : BLOCK * ANSWER_BITS;
  localparam integer DATA_DIGITS = (WIDEST + 3) / 4;
  localparam integer MOST_IMAGES = 65536;

  reg clk = 0;
  reg rst = 1;
  always #5 clk = ~clk;

  // Registers of the chip, see hwgen/mram/facts/registers.py.
  localparam [11:0] ID = 'h00, VERSION = 'h04, CONTROL = 'h08, STATUS = 'h0c, ERROR = 'h10;
  localparam [11:0] COMMAND = 'h14, MODE = 'h18, UNLOCK = 'h1c, IMAGES = 'h20;
  localparam [11:0] PROGRAM_ADDRESS = 'h24, IMAGE_ADDRESS = 'h2c, ANSWER_ADDRESS = 'h34;
  localparam [11:0] CYCLES = 'h3c, LOAD_CYCLES = 'h44, LAYERS = 'h4c, IMAGES_DONE = 'h50;
  localparam [11:0] ACTIVE_MODE = 'h54, AND_OPERATIONS = 'h58, INPUT_ROW_WRITES = 'h60;
  localparam [11:0] WEIGHT_ROW_WRITES = 'h68, REFUSED_ROW_WRITES = 'h6c;

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
  wire [TRACE_BITS-1:0] trace;
  wire running = trace[0], image_begin = trace[1], retire = trace[2];

  mram_chip chip (
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
      .trace(trace)
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

  // What the trace shows. Events of a cycle count for the record that retires in it.
  integer events, stores;
  reg [15:0] starts = 0;
  reg [31:0] begun = 0;  // images of the run whose mode is taken
  integer ands, segments, joins, adds, shifts, input_writes, planes, weight_writes, sums;
  integer bank_reads, bank_writes, results, xors, write_backs;
  integer octet, each, works;
  reg [OCTET_BITS-1:0] one;
  localparam integer SET_AT = COUNT_BITS, INPUT_AT = COUNT_BITS + 2;
  always @(posedge clk) if (rst) begin
    clear;
  end else begin
    for (octet = 0; octet < OCTETS; octet = octet + 1) begin
      one = trace[OCTETS_AT+octet*OCTET_BITS+:OCTET_BITS];
      works = 32'(one[0+:COUNT_BITS]);
      if (works != 0) begin
        ands = ands + works;
        segments = segments + works * $countones(
            trace[ACTIVE_AT+(one[SET_AT]?SEGMENTS:0)+:SEGMENTS]);
        joins = joins + works * $countones(trace[JOIN_AT+:SEGMENTS]);
        each = works * $countones(trace[ADD_AT+:SEGMENTS]);
        adds = adds + each;
        if (one[SET_AT+1]) shifts = shifts + each;
      end
      input_writes = input_writes + 32'(one[INPUT_AT+:COUNT_BITS]);
      weight_writes = weight_writes + 32'(one[INPUT_AT+COUNT_BITS+:COUNT_BITS]);
      xors = xors + 32'(one[INPUT_AT+3*COUNT_BITS+:COUNT_BITS]);
      write_backs = write_backs + 32'(one[INPUT_AT+4*COUNT_BITS+:COUNT_BITS]);
    end
    planes = planes + 32'(trace[PLANE_AT]);
    sums = sums + 32'(trace[SUM_AT+:COUNT_BITS]);
    results = results + 32'(trace[RESULT_AT+:COUNT_BITS]);
    bank_reads = bank_reads + $countones(trace[READ_AT+:3]);
    bank_writes = bank_writes + 32'(trace[BANK_VALID_AT]);
    if (trace[BANK_VALID_AT]) begin
      stored = stored + 1;
      if (stored <= most_stores) $fwrite(stores, "%h%h%h%h%h%h\n", starts, cycle[39:0], {2'b00, trace[BANK_AT+:2]},
              16'(trace[BANK_AT+2+:ROW_BITS]), (4*MASK_DIGITS)'(trace[BANK_AT+2+ROW_BITS+:ELEMENTS]),
              (4*DATA_DIGITS)'(trace[BANK_AT+2+ROW_BITS+ELEMENTS+:COLUMNS]));
    end
    if (trace[WORD_VALID_AT]) begin
      stored = stored + 1;
      if (stored <= most_stores) $fwrite(stores, "%h%h%h%h%h%h\n", starts, cycle[39:0], 4'd4,
              16'(trace[WORD_AT+:INDEX_BITS]), (4*MASK_DIGITS)'(trace[WORD_AT+INDEX_BITS+:BLOCK]),
              (4*DATA_DIGITS)'(trace[WORD_AT+INDEX_BITS+BLOCK+:BLOCK*ANSWER_BITS]));
    end
    if (image_begin) begin
      $fwrite(events, "image %0d\n", cycle);
      begun = begun + 1;
    end
    if (retire) begin
      $fwrite(events, "retire %0d %0d %0d", cycle, trace[MODE_AT+:3],
              trace[RECORD_AT+:RECORD_BITS]);
      counts;
    end
  end

  // In the order of hwgen/mram/facts/events.py; a bit count belongs to each active segment.
  task counts;
    begin
      $fwrite(events, " %0d %0d %0d %0d %0d %0d", ands, segments, segments, joins, adds, shifts);
      $fwrite(events, " %0d %0d %0d %0d", input_writes, planes, weight_writes, sums);
      $fwrite(events, " %0d %0d %0d %0d %0d\n", bank_reads, bank_writes, results, xors,
              write_backs);
      clear;
    end
  endtask

  task clear;
    begin
      ands = 0;
      segments = 0;
      joins = 0;
      adds = 0;
      shifts = 0;
      input_writes = 0;
      planes = 0;
      weight_writes = 0;
      sums = 0;
      bank_reads = 0;
      bank_writes = 0;
      results = 0;
      xors = 0;
      write_backs = 0;
    end
  endtask

  // Handshakes are seen at rising edges; the tasks below look and drive at falling ones.
  reg aw_taken, w_taken, b_taken, ar_taken, r_taken;
  reg [1:0] response;
  reg [31:0] answer_word;
  always @(posedge clk) begin
    aw_taken <= awvalid && awready;
    w_taken <= wvalid && wready;
    b_taken <= bvalid && bready;
    ar_taken <= arvalid && arready;
    r_taken <= rvalid && rready;
    if (bvalid) response <= bresp;
    if (rvalid) begin
      response <= rresp;
      answer_word <= rdata;
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
      what = answer_word;
    end
  endtask

  task read_counter(input [11:0] where, output [63:0] what);
    begin
      read_register(where, what[31:0]);
      read_register(where + 4, what[63:32]);
    end
  endtask

  reg [8*1024-1:0] memory_file, modes_file, events_file, stores_file;
  reg [63:0] program_address = 0, tables_address = 0, image_address = 0, answer_address = 0;
  reg [63:0] image_stride = 0, answer_stride = 0, reset_at = 0;
  integer runs = 1, images = 1, total = 1, words = 0;
  reg [7:0] modes[0:MOST_IMAGES-1];
  integer run, count;

  initial begin
    if (!$value$plusargs("memory=%s", memory_file)) $fatal(1, "host: +memory=FILE is missing");
    if (!$value$plusargs("modes=%s", modes_file)) $fatal(1, "host: +modes=FILE is missing");
    if (!$value$plusargs("events=%s", events_file)) $fatal(1, "host: +events=FILE is missing");
    if (!$value$plusargs("stores=%s", stores_file)) $fatal(1, "host: +stores=FILE is missing");
    if ($value$plusargs("program=%h", program_address)) begin end
    if ($value$plusargs("tables=%h", tables_address)) begin end
    if ($value$plusargs("image=%h", image_address)) begin end
    if ($value$plusargs("answer=%h", answer_address)) begin end
    if ($value$plusargs("image_stride=%h", image_stride)) begin end
    if ($value$plusargs("answer_stride=%h", answer_stride)) begin end
    if ($value$plusargs("runs=%d", runs)) begin end
    if ($value$plusargs("images=%d", images)) begin end
    if ($value$plusargs("total=%d", total)) begin end
    if ($value$plusargs("words=%d", words)) begin end
    if ($value$plusargs("latency=%d", latency)) begin end
    if ($value$plusargs("stall=%d", stall)) begin end
    if ($value$plusargs("seed=%d", seed)) begin end
    if ($value$plusargs("error_address=%h", error_address)) begin end
    if ($value$plusargs("reset_at=%d", reset_at)) begin end
    if ($value$plusargs("limit=%d", limit)) begin end
    if ($value$plusargs("most_stores=%d", most_stores)) begin end
    $readmemh(memory_file, memory.beats);
    $readmemh(modes_file, modes);
    events = $fopen(events_file, "w");
    stores = $fopen(stores_file, "w");
    reset;
    report_identity;
    load_all;
    for (run = 0; run < runs; run = run + 1) begin
      start;
      if (run == 0 && reset_at != 0) begin
        while (cycle != reset_at) @(negedge clk);
        reset;
        $fwrite(events, "reset\n");
        load_all;
        start;
      end
      request_modes;
      wait_for_end;
      report;
      report_answers;
    end
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

  task load_all;
    begin
      load(program_address);
      if (tables_address != 0) load(tables_address);
    end
  endtask

  task load(input [63:0] where);
    begin
      $fwrite(events, "load %h\n", where);
      stored = 0;
      write_register(COMMAND, 1);
      write_address(PROGRAM_ADDRESS, where);
      write_register(CONTROL, 1);
      wait (running);
      wait_for_end;
      report;
    end
  endtask

  task start;
    begin
      $fwrite(events, "start %0d\n", run);
      starts = starts + 1;
      stored = 0;
      begun = 0;
      count = total - run * images < images ? total - run * images : images;
      write_register(COMMAND, 0);
      write_register(MODE, 32'(modes[run*images]));
      write_register(IMAGES, count);
      write_address(IMAGE_ADDRESS, image_address + run * images * image_stride);
      write_address(ANSWER_ADDRESS, answer_address + run * images * answer_stride);
      write_register(CONTROL, 1);
      wait (running);
    end
  endtask

  // The mode of an image is requested when the one before it has begun.
  task request_modes;
    integer next;
    begin
      for (next = 1; next < count; next = next + 1) begin
        wait (begun >= next || !running || late);
        @(negedge clk);
        if (running) write_register(MODE, 32'(modes[run*images+next]));
      end
    end
  endtask

  // Asks the chip only when its trace says that the command is over.
  task wait_for_end;
    reg [31:0] status;
    begin
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
    reg [31:0] status, error, layers, done, mode, weight, refused;
    reg [63:0] cycles, load_cycles, operations, inputs;
    begin
      $fwrite(events, "rest");
      counts;
      read_register(STATUS, status);
      read_register(ERROR, error);
      read_counter(CYCLES, cycles);
      read_counter(LOAD_CYCLES, load_cycles);
      read_register(LAYERS, layers);
      read_register(IMAGES_DONE, done);
      read_register(ACTIVE_MODE, mode);
      read_counter(AND_OPERATIONS, operations);
      read_counter(INPUT_ROW_WRITES, inputs);
      read_register(WEIGHT_ROW_WRITES, weight);
      read_register(REFUSED_ROW_WRITES, refused);
      $fwrite(events, "end %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d\n", status, error, cycles,
              load_cycles, layers, done, mode, operations, inputs, weight, refused);
    end
  endtask

  task report_answers;
    reg [63:0] where;
    reg [PORT_BITS-1:0] beat;
    integer image, index;
    begin
      for (image = run * images; image < run * images + count; image = image + 1)
        for (index = 0; index < words; index = index + 1) begin
          where = (answer_address + image * answer_stride) / (PORT_BITS / 8) + index / WORDS;
          beat = memory.beats[where[0+:$clog2(MEMORY_BEATS)]];
          $fwrite(events, "answer %0d %0d %h\n", image, index, beat[32*(index%WORDS)+:32]);
        end
    end
  endtask
endmodule
