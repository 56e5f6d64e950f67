  // What it writes into `stores`: a line of hexadecimal digits for each word of results that a macro
  // stores, for each step that begins, and for each clock with strobes, all of the same length.
  // Digits of each field:
  //   start 4       number of starts until now
  //   cycle 10      when it is written; of a step the clock before its first one
  //   macro 4       ffff: a step begins; fffe: strobes
  //   layer 2       whose results
  //   enables ENABLE_DIGITS   one bit for each element of the word
  //   data DATA_DIGITS        of a step: one bit for each operation that starts with it; of strobes:
  //                           for each operation whose strobe is there
  wire [TRACE-1:0] trace;
  wire running = trace[TRACE_RUNNING_AT];

  integer macro;
  reg [STORE-1:0] one;
  reg [MACRO_EVENTS-1:0] own;
  always @(posedge clk) if (!rst) begin
    for (macro = 0; macro < MACROS; macro = macro + 1) begin
      own = trace[TRACE_EVENTS_AT+macro*MACRO_EVENTS+:MACRO_EVENTS];
      count(EVENT_CONVERSIONS, 32'(own[MACRO_EVENTS_CONVERSIONS_AT+:MACRO_EVENTS_CONVERSIONS]));
      count(EVENT_CROSSBAR_READS, 32'(own[MACRO_EVENTS_READS_AT+:MACRO_EVENTS_READS]));
      count(EVENT_PORT_READS, 32'(own[MACRO_EVENTS_PORT_READS_AT]));
      count(EVENT_PORT_WRITES, 32'(own[MACRO_EVENTS_PORT_WRITES_AT]));
      one = trace[TRACE_STORES_AT+macro*STORE+:STORE];
      if (one[STORE_VALID_AT])
        store(16'(macro), one[STORE_LAYER_AT+:STORE_LAYER],
              (4*ENABLE_DIGITS)'(one[STORE_ENABLES_AT+:STORE_ENABLES]),
              (4*DATA_DIGITS)'(one[STORE_DATA_AT+:STORE_DATA]));
    end
    count(EVENT_FLIT_HOPS, 32'(trace[TRACE_FLITS_AT+:TRACE_FLITS]));
    if (trace[TRACE_TICK_AT])
      store(16'hffff, 8'h0, (4*ENABLE_DIGITS)'(0),
            (4*DATA_DIGITS)'(trace[TRACE_STARTS_AT+:TRACE_STARTS]));
    if (trace[TRACE_STROBES_AT+:TRACE_STROBES] != 0)
      store(16'hfffe, 8'h0, (4*ENABLE_DIGITS)'(0),
            (4*DATA_DIGITS)'(trace[TRACE_STROBES_AT+:TRACE_STROBES]));
    if (trace[TRACE_ENTERED_AT]) image_begun;
    if (trace[TRACE_RETIRE_AT]) retired(0);
  end

  task store(input [15:0] macro_or_kind, input [7:0] layer, input [4*ENABLE_DIGITS-1:0] enables,
             input [4*DATA_DIGITS-1:0] data);
    stored = stored + 1;
    if (stored <= most_stores)
      $fwrite(stores, "%h%h%h%h%h%h\n", starts, cycle[39:0], macro_or_kind, layer, enables, data);
  endtask
