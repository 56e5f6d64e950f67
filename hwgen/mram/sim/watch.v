  // What it writes into `stores`: a line of hexadecimal digits for each write to a bank or to the
  // answer buffer, all of the same length. Digits of each field:
  //   start 4       number of starts until now
  //   cycle 10      when it is written
  //   place 1       0 to 3: bank; 4: answer buffer
  //   row 4         of the bank; of the answer buffer a block
  //   mask MASK_DIGITS, data DATA_DIGITS      one bit of the mask for each element
  // The tag of a retirement: the record, and the mode in its upper half.
  wire [TRACE-1:0] trace;
  wire running = trace[TRACE_RUNNING_AT];

  integer octet, works, adds;
  reg [OCTET-1:0] one;
  reg [TRACE_ACTIVE_0-1:0] active;
  reg [BANK-1:0] bank;
  reg [ANSWER-1:0] block;
  always @(posedge clk) if (!rst) begin
    for (octet = 0; octet < OCTETS; octet = octet + 1) begin
      one = trace[TRACE_OCTETS_AT+octet*OCTET+:OCTET];
      works = 32'(one[OCTET_ANDS_AT+:OCTET_ANDS]);
      if (works != 0) begin
        count(EVENT_AND_OPERATIONS, works);
        // A bit count belongs to each active segment. Icarus counts a choice wrongly, a register not.
        active = one[OCTET_ROW_SET_AT] ? trace[TRACE_ACTIVE_1_AT+:TRACE_ACTIVE_1]
                                       : trace[TRACE_ACTIVE_0_AT+:TRACE_ACTIVE_0];
        adds = works * $countones(active);
        count(EVENT_AND_SEGMENTS, adds);
        count(EVENT_BIT_COUNTS, adds);
        count(EVENT_JOINS, works * $countones(trace[TRACE_JOIN_AT+:TRACE_JOIN]));
        adds = works * $countones(trace[TRACE_ACCUMULATE_AT+:TRACE_ACCUMULATE]);
        if (IN_ARRAY == 0) count(EVENT_ADDS, adds);
        if (one[OCTET_DOUBLE_AT]) count(EVENT_SHIFTS, adds);
      end
      if (one != 0) begin
        count(EVENT_INPUT_ROW_WRITES, 32'(one[OCTET_INPUT_WRITES_AT+:OCTET_INPUT_WRITES]));
        count(EVENT_WEIGHT_ROW_WRITES, 32'(one[OCTET_WEIGHT_WRITES_AT+:OCTET_WEIGHT_WRITES]));
        count(EVENT_XOR_OPERATIONS, 32'(one[OCTET_XORS_AT+:OCTET_XORS]));
        count(EVENT_WRITE_BACKS, 32'(one[OCTET_WRITE_BACKS_AT+:OCTET_WRITE_BACKS]));
      end
    end
    count(EVENT_TREE_ROWS, 32'(trace[TRACE_PLANE_AT]));
    count(EVENT_SUMS, 32'(trace[TRACE_SUM_LANES_AT+:TRACE_SUM_LANES]));
    count(EVENT_DPU_RESULTS, 32'(trace[TRACE_RESULT_LANES_AT+:TRACE_RESULT_LANES]));
    count(EVENT_BANK_READS, 32'(trace[TRACE_READER_READ_AT]) + 32'(trace[TRACE_POOL_READ_AT])
                      + 32'(trace[TRACE_SKIP_READ_AT]));
    count(EVENT_BANK_WRITES, 32'(trace[TRACE_BANK_VALID_AT]));
    if (trace[TRACE_BANK_VALID_AT]) begin
      bank = trace[TRACE_BANK_AT+:BANK];
      store({2'b00, bank[BANK_BANK_AT+:2]}, 16'(bank[BANK_ROW_AT+:BANK_ROW]),
            (4*MASK_DIGITS)'(bank[BANK_MASK_AT+:BANK_MASK]),
            (4*DATA_DIGITS)'(bank[BANK_DATA_AT+:BANK_DATA]));
    end
    if (trace[TRACE_ANSWER_VALID_AT]) begin
      block = trace[TRACE_ANSWER_AT+:ANSWER];
      store(4'd4, 16'(block[ANSWER_INDEX_AT+:ANSWER_INDEX]),
            (4*MASK_DIGITS)'(block[ANSWER_MASK_AT+:ANSWER_MASK]),
            (4*DATA_DIGITS)'(block[ANSWER_DATA_AT+:ANSWER_DATA]));
    end
    if (trace[TRACE_IMAGE_BEGIN_AT]) image_begun;
    if (trace[TRACE_RETIRE_AT])
      retired({16'(trace[TRACE_ACTIVE_MODE_AT+:TRACE_ACTIVE_MODE]),
               16'(trace[TRACE_RECORD_AT+:TRACE_RECORD])});
  end

  task store(input [3:0] place, input [15:0] row, input [4*MASK_DIGITS-1:0] mask,
             input [4*DATA_DIGITS-1:0] data);
    stored = stored + 1;
    if (stored <= most_stores)
      $fwrite(stores, "%h%h%h%h%h%h\n", starts, cycle[39:0], place, row, mask, data);
  endtask
