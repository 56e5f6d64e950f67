  // What it writes into `stores`: a line of hexadecimal digits for each word that is stored, all of
  // the same length. Digits of each field:
  //   start 4       number of starts until now
  //   cycle 10      when it is stored
  //   core 2        that stores it privately; ff: a word on the write bus
  //   kind 1        bit 0: raw, bit 1: to_memory
  //   row 3, column 3, word 3, index 4      as the trace shows them
  //   enable BYTES / 4, data 2 * BYTES      of a raw word 0
  wire retire, running;
  wire [LANES-1:0] write_valid;
  wire [LANES*WRITE-1:0] write;
  wire [CORES-1:0] private_valid;
  wire [CORES*VECTOR-1:0] private_write;
  wire [CORES*PULSES-1:0] pulses;

  integer core, macro, lane;
  reg [WRITE-1:0] word;
  reg [VECTOR-1:0] vector;
  reg [PLACE-1:0] place;
  reg [PULSES-1:0] one;
  always @(posedge clk) if (!rst) begin
    for (lane = 0; lane < LANES; lane = lane + 1)
      if (write_valid[lane]) begin
        word = write[lane*WRITE+:WRITE];
        store(8'hff, {word[WRITE_TO_MEMORY_AT], word[WRITE_RAW_AT]},
              word[WRITE_ROW_AT+:WRITE_ROW], word[WRITE_COLUMN_AT+:WRITE_COLUMN],
              word[WRITE_WORD_AT+:WRITE_WORD], 16'(word[WRITE_INDEX_AT+:WRITE_INDEX]),
              word[WRITE_ENABLE_AT+:BYTES],
              word[WRITE_RAW_AT] ? {(8*BYTES){1'b0}} : word[WRITE_DATA_AT+:8*BYTES]);
        count(EVENT_BUS_BYTES, word[WRITE_RAW_AT] ? 4 * FILTERS : $countones(word[WRITE_ENABLE_AT+:BYTES]));
      end
    for (core = 0; core < CORES; core = core + 1)
      if (private_valid[core]) begin
        vector = private_write[core*VECTOR+:VECTOR];
        for (macro = 0; macro < MACROS; macro = macro + 1) begin
          place = vector[VECTOR_POSITIONS_AT+macro*PLACE+:PLACE];
          if (place[PLACE_ACTIVE_AT])
            store(8'(core), 2'b00, place[PLACE_ROW_AT+:PLACE_ROW],
                  place[PLACE_COLUMN_AT+:PLACE_COLUMN], vector[VECTOR_WORD_AT+:VECTOR_WORD], 16'd0,
                  vector[VECTOR_ENABLE_AT+:BYTES], vector[VECTOR_BYTES_AT+macro*8*BYTES+:8*BYTES]);
        end
      end
    for (core = 0; core < CORES; core = core + 1) begin
      one = pulses[core*PULSES+:PULSES];
      if (one != 0) begin
        // insert: pulses
      end
    end
    count(EVENT_BEATS_READ, 32'(m_rvalid && m_rready));
    count(EVENT_BEATS_WRITTEN, 32'(m_wvalid && m_wready));
    if (retire) retired(0);
  end

  task store(input [7:0] source, input [1:0] kind, input [PLACE_ROW-1:0] row,
             input [PLACE_COLUMN-1:0] column, input [WRITE_WORD-1:0] word, input [15:0] index,
             input [BYTES-1:0] enable, input [8*BYTES-1:0] data);
    stored = stored + 1;
    if (stored <= most_stores)
      $fwrite(stores, "%h%h%h%h%h%h%h%h%h%h\n", starts, cycle[39:0], source, {2'b00, kind},
              12'(row), 12'(column), 12'(word), index, enable, data);
  endtask
