// Packets come in their order, each of the beats that its opcode says, the first beat lowest; a body
// is forwarded beat by beat. `ended` says that a beat behind the end of the segment is needed.
module properties (
  input clk, input start, input [7:0] data, input valid, input next, input body, input stop,
  input recount, input [`COUNT-1:0] count, input rest_ready, input rest_done
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire ready, first, whole, rest_valid, unknown, ended;
  wire [23:0] packet;
  wire [7:0] rest;
  `PART dut (
    .clk(clk), .rst(rst), .start(start), .beats__payload(data), .beats__valid(valid),
    .beats__ready(ready), .packet(packet), .first(first), .whole(whole), .next(next), .body(body),
    .stop(stop), .recount(recount), .count(count), .rest__payload(rest), .rest__valid(rest_valid),
    .rest__ready(rest_ready), .rest_done(rest_done), .unknown(unknown), .ended(ended)
  );

  // Where the stream stands: idle, the first packet, a whole one, a header, stopped, a body.
  localparam IDLE = 0, FIRST = 1, WHOLE = 2, HEADER = 3, STOP = 4, BODY = 5;
  reg [2:0] phase = IDLE;
  reg [1:0] got = 0;
  reg [23:0] taken;
  reg [`COUNT-1:0] left = 0;
  reg is_first = 0, counted = 0;
  wire [2:0] opcode = got == 0 ? data[2:0] : taken[2:0];
  wire known = opcode == 1 || opcode == 2 || opcode == 5;
  wire [1:0] length = phase == FIRST ? 2 : opcode == 1 ? 1 : opcode == 2 ? 2 : 3;
  wire counts = phase == HEADER || (phase == BODY && counted);
  wire at_end = counts && left == 0;
  always @* begin
    assume (next + body + stop <= 1);
    if (phase != WHOLE) assume (!next && !body && !stop && !recount);
    else if (recount) assume (next || body);
    if (phase == WHOLE && is_first && (next || body)) assume (recount);
    if (rest_done) assume (phase == BODY && rest_valid && rest_ready);
  end
  always @(posedge clk)
    if (rst) begin
      phase <= IDLE;
      got <= 0;
      left <= 0;
      is_first <= 0;
      counted <= 0;
    end else begin
      if (counts && left != 0 && valid && ready) left <= left - 1;
      if (phase == IDLE && start) phase <= FIRST;
      if ((phase == FIRST || phase == HEADER) && valid) begin
        taken[8*got +: 8] <= data;
        got <= got + 1 == length ? 0 : got + 1;
        if (got + 1 == length) phase <= WHOLE;
        if (got + 1 == length && phase == FIRST) is_first <= 1;
      end
      if (phase == WHOLE && (next || stop || body)) phase <= stop ? STOP : body ? BODY : HEADER;
      if (phase == WHOLE && next) is_first <= 0;
      if (phase == WHOLE && body) counted <= !recount;
      if (phase == WHOLE && recount) left <= count;
      if (phase == BODY && rest_done) begin
        phase <= HEADER;
        is_first <= 0;
      end
      if (at_end || unknown) phase <= STOP;
    end

  always @* if (begun) begin
    assert (whole == (phase == WHOLE));
    if (phase == WHOLE) begin
      assert (first == is_first);
      assert (packet[7:0] == taken[7:0]);
    end
    if (phase == WHOLE && (is_first || packet[2:0] != 1)) assert (packet[15:8] == taken[15:8]);
    if (phase == WHOLE && !is_first && packet[2:0] == 5) assert (packet[23:16] == taken[23:16]);
    assert (ready == (phase == FIRST || phase == HEADER || (phase == BODY && rest_ready)));
    assert (rest_valid == (phase == BODY && valid));
    if (rest_valid) assert (rest == data);
    assert (ended == at_end);
    assert (unknown == (phase == HEADER && valid && !known));
  end

  // For the induction: where the part stands.
  (* hierconn *) wire [2:0] \dut.fsm_state ;
  (* hierconn *) wire [`COUNT-1:0] \dut.left ;
  (* hierconn *) wire \dut.begun ;
  (* hierconn *) wire \dut.counted ;
  (* hierconn *) wire [1:0] \dut.first_number ;
  (* hierconn *) wire [1:0] \dut.number ;
  always @* if (begun) begin
    assert (\dut.fsm_state == phase && \dut.left == left);
    if (phase == FIRST) assert (\dut.first_number == got && got < 2);
    if (phase == HEADER) assert (\dut.number == got && got < 3 && \dut.begun == (got != 0));
    if (phase == HEADER && got != 0) assert (known && got < length);
    if (phase == IDLE || phase == WHOLE || phase == BODY)
      assert (got == 0 && \dut.first_number == 0 && \dut.number == 0 && !\dut.begun );
    if (phase == HEADER) assert (\dut.first_number == 0);
    if (phase == FIRST) assert (\dut.number == 0 && !\dut.begun );
    if (phase == BODY) assert (\dut.counted == counted);
    if (phase != STOP && phase != IDLE) assert (first == is_first);
    if (phase == FIRST || phase == HEADER || phase == WHOLE) begin
      if (got > 0 || phase == WHOLE) assert (packet[7:0] == taken[7:0]);
      if (got > 1 || (phase == WHOLE && (is_first || packet[2:0] != 1)))
        assert (packet[15:8] == taken[15:8]);
    end
    if (phase == IDLE) assert (!is_first && !first);
    if (phase == FIRST) assert (!is_first && !first);
    if (phase == HEADER) assert (!is_first);
    if (phase == WHOLE && !is_first)
      assert (packet[2:0] == 1 || packet[2:0] == 2 || packet[2:0] == 5);
  end
endmodule
