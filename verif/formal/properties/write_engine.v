// The rules of AXI4 for the channels AW, W and B of a manager; the bytes that are written are those
// of the region of `words` words from `address` on, each of them once, and no others; of each row
// of `row_pitch` of them the first `row_words`. What is not written is 0.
module properties (
  input clk, input start, input [`COUNT-1:0] words, input [`INDEX-1:0] index,
  input [63:0] address, input [31:0] read_data, input awready, input wready, input bvalid,
  input [1:0] bresp, input stop, input [`COUNT-1:0] row_pitch, input [`COUNT-1:0] row_words
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire [`INDEX-1:0] read_index;
  wire awid, awvalid, wlast, wvalid, bready, idle, done, taken, error;
  wire [63:0] awaddr;
  wire [7:0] awlen;
  wire [2:0] awsize;
  wire [1:0] awburst;
  wire [31:0] wdata;
  wire [3:0] wstrb;
  `PART dut (
    .clk(clk), .rst(rst), .start(start), .words(words), .index(index), .address(address),
    .read_index(read_index), .read_data(read_data), .memory__awid(awid), .memory__awaddr(awaddr),
    .memory__awlen(awlen), .memory__awsize(awsize), .memory__awburst(awburst),
    .memory__awvalid(awvalid), .memory__awready(awready), .memory__wdata(wdata),
    .memory__wstrb(wstrb), .memory__wlast(wlast), .memory__wvalid(wvalid),
    .memory__wready(wready), .memory__bid(1'b0), .memory__bresp(bresp), .memory__bvalid(bvalid),
    .memory__bready(bready), .stop(stop), .row_pitch(row_pitch),
    .row_words(row_words), .idle(idle), .done(done), .taken(taken), .error(error)
  );

  // Of the burst: whether its address has gone, and its beats that have; of the region: its begin,
  // its bytes, the beats that have gone, its rows, and the bytes of a row before the next beat.
  reg after_reset = 0, waited = 0, waited_data = 0;
  reg addressed = 0, ended = 0;
  reg [8:0] beat = 0;
  reg [63:0] begins;
  reg [`COUNT:0] bytes, gone = 0, before = 0;
  reg [`COUNT-1:0] pitch = 1, held = 1;
  reg [76:0] address_before;
  reg [36:0] data_before;
  reg [`INDEX-1:0] index_before;
  reg [31:0] word_before;
  wire [76:0] address_channel = {awaddr, awlen, awsize, awburst};
  wire [8:0] beats = awlen + 9'd1;
  wire answered = bvalid && bready;
  always @(posedge clk) begin
    after_reset <= rst;
    waited <= !rst && awvalid && !awready;
    address_before <= address_channel;
    waited_data <= !rst && wvalid && !wready;
    data_before <= {wlast, wstrb, wdata};
    index_before <= read_index;
    word_before <= read_data;
    if (rst || answered || (idle && start)) begin
      addressed <= 0;
      ended <= 0;
      beat <= 0;
    end else begin
      if (awvalid && awready) addressed <= 1;
      if (wvalid && wready) begin
        beat <= beat + 1;
        ended <= wlast;
      end
    end
    if (rst) begin
      begins <= 0;
      gone <= 0;
    end else if (idle && start) begin
      begins <= address;
      bytes <= words;
      gone <= 0;
      pitch <= row_pitch;
      held <= row_words;
      before <= 0;
    end else if (wvalid && wready) begin
      gone <= gone + 1;
      before <= before + 4 >= pitch ? 0 : before + 4;
    end
  end
  reg [3:0] written;
  integer i;
  always @*
    for (i = 0; i < 4; i = i + 1)
      written[i] = 4*gone + i < bytes
          && (pitch == 1 ? 0 : pitch == 2 ? i % 2 : before + i) < held;
  wire [63:0] place = begins + 4*gone;
  always @* begin
    if (start) assume (idle && words != 0 && address[1:0] == 0 && address[63:32] == 0);
    // Rows are whole beats, or a power of two below.
    if (start) assume (row_pitch == 1 || row_pitch == 2 || row_pitch != 0 && row_pitch[1:0] == 0);
    if (start) assume (row_words != 0 && row_words <= row_pitch);
    // A response follows the burst; the buffer holds its words.
    if (bvalid) assume (addressed && ended);
    if (read_index == index_before) assume (read_data == word_before);
  end

  always @* if (begun) begin
    if (after_reset) assert (!awvalid && !wvalid);
    if (waited) assert (awvalid && address_channel == address_before);
    if (waited_data) assert (wvalid && {wlast, wstrb, wdata} == data_before);
    if (awvalid) begin
      assert (awburst == 1 && awsize == 2 && awid == 0 && awaddr[1:0] == 0);
      assert (beats <= `BURST && awaddr[11:0] + 4*beats <= 4096);
      assert (!addressed);
    end
    if (wvalid) begin
      assert (!ended && wlast == (beat == awlen));
      assert (wdata == (read_data & {
        {8{written[3]}}, {8{written[2]}}, {8{written[1]}}, {8{written[0]}}
      }));
      // The beat lies where the burst puts it, and its bytes are those of the region there.
      assert (awaddr + 4*beat == place);
      assert (wstrb == written);
    end
    if (done) assert (4*gone >= bytes && 4*gone < bytes + 4);
    assert (done == (answered && bresp == 0 && 4*gone >= bytes));
    assert (error == (answered && bresp != 0));
    if (idle) assert (!awvalid && !wvalid && !bready);
  end

  // For the induction: the work left, and the state.
  (* hierconn *) wire [64+6*`COUNT+`SENT-1:0] \dut.todo ;
  (* hierconn *) wire [1:0] \dut.fsm_state ;
  wire [`COUNT-1:0] left_beats = \dut.todo [64 +: `COUNT];
  wire [`COUNT-1:0] left_words = \dut.todo [64+`COUNT +: `COUNT];
  wire [`SENT-1:0] sent = \dut.todo [64+3*`COUNT +: `SENT];
  wire [3*`COUNT-1:0] rows = \dut.todo [64+3*`COUNT+`SENT +: 3*`COUNT];
  wire in_burst = \dut.fsm_state == 1;
  (* hierconn *) wire [`SENT:0] \dut.burst ;
  (* hierconn *) wire \dut.ends ;
  wire [`COUNT:0] burst_words = 4*(gone - beat);
  always @* if (begun) begin
    assert (\dut.fsm_state < 3);
    assert (idle == (\dut.fsm_state == 0));
    assert (awaddr[1:0] == 0 && begins[1:0] == 0 && begins[63:32] == 0);
    if (awvalid || wvalid) assert (in_burst);
    if (in_burst) begin
      assert (awvalid == !addressed && wvalid == !ended);
      assert (awvalid || wvalid);
    end
    if (bready) begin
      assert (addressed && ended);
      assert (\dut.burst == beats && \dut.ends == (beats == left_beats));
    end
    if (!idle) begin
      assert (beats <= `BURST && bytes != 0 && left_beats != 0);
      assert (beat == (ended ? beats : {1'b0, sent}) && (ended || beat < beats));
      assert (gone >= beat && awaddr == begins + 4*(gone - beat));
      assert (4*(gone - beat) + 4*left_beats >= bytes && 4*(gone - beat) + 4*left_beats < bytes + 4);
      assert (4*gone >= bytes || left_words == bytes - 4*gone);
      assert (beats <= left_beats);
      assert (rows[0 +: 2*`COUNT] == {held, pitch} && 4*rows[2*`COUNT +: `COUNT] == before);
      assert (pitch == 1 || pitch == 2 || pitch != 0 && pitch[1:0] == 0);
      assert (before == 0 || before < pitch);
    end
  end
endmodule
