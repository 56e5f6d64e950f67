// Three results of 1, 7 and 32 beats. Flits go to the buffer of their result, image by image. Each
// image of a result that has come whole is stored once, in order, from its buffer to its place, and
// none waits for more than six others, whatever the order in which results end.
module properties (
  input clk, input [65:0] link, input [63:0] address, input boundary, input [47:0] whole,
  input stored
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire write, store, retire, room, unknown;
  wire [6:0] write_index, store_index;
  wire [63:0] write_data, store_address;
  wire [5:0] store_beats;
  wire [15:0] images;
  `PART dut (
    .clk(clk), .rst(rst), .link(link), .address(address), .write(write),
    .write_index(write_index), .write_data(write_data), .boundary(boundary), .whole(whole),
    .store(store), .store_index(store_index), .store_beats(store_beats),
    .store_address(store_address), .stored(stored), .retire(retire), .images(images),
    .room(room), .unknown(unknown)
  );

  // By result: flits, and flits of an image before them.
  localparam [17:0] SIZES = {6'd32, 6'd7, 6'd1};
  localparam [17:0] BEFORE = {6'd8, 6'd1, 6'd0};

  // What comes: whose packet it is, and the beats and images of each result.
  reg [2:0] mine = 0;
  reg [14:0] position = 0;
  reg [47:0] came = 0;
  wire body = link[0] && !link[1];
  integer each;
  always @(posedge clk)
    for (each = 0; each < 3; each = each + 1)
      if (rst) begin
        mine[each] <= 0;
        position[5*each +: 5] <= 0;
        came[16*each +: 16] <= 0;
      end else begin
        if (link[0] && link[1]) mine[each] <= link[11:2] == each;
        if (body && mine[each]) begin
          position[5*each +: 5] <=
            position[5*each +: 5] + 1 == SIZES[6*each +: 6] ? 0 : position[5*each +: 5] + 1;
          if (position[5*each +: 5] + 1 == SIZES[6*each +: 6])
            came[16*each +: 16] <= came[16*each +: 16] + 1;
        end
      end

  // What leaves: the images of each result that are stored.
  reg busy = 0;
  reg [1:0] which = 0;
  reg [47:0] gone = 0;
  reg [191:0] offset = 0;
  reg [1:0] next;
  reg [2:0] waits;
  integer one;
  always @* begin
    next = 3;
    for (one = 2; one >= 0; one = one - 1) begin
      waits[one] = whole[16*one +: 16] != gone[16*one +: 16];
      if (waits[one]) next = one;
    end
  end
  // Any result, and the others that are stored while it waits.
  (* anyconst *) reg [1:0] own;
  reg [3:0] passed = 0;
  wire [15:0] own_gone = own == 0 ? gone[15:0] : own == 1 ? gone[31:16] : gone[47:32];
  integer every;
  always @(posedge clk)
    if (rst) begin
      busy <= 0;
      gone <= 0;
      offset <= 0;
      passed <= 0;
    end else begin
      if (store) begin
        busy <= 1;
        which <= next;
      end else if (stored) busy <= 0;
      for (every = 0; every < 3; every = every + 1)
        if (stored && which == every) begin
          gone[16*every +: 16] <= gone[16*every +: 16] + 1;
          offset[64*every +: 64] <= offset[64*every +: 64] + `STRIDE;
        end
      if (!waits[own] || (stored && which == own)) passed <= 0;
      else if (stored) passed <= passed + 1;
    end

  // The address is there from the first clock on, in which no result has come.
  reg fresh = 1;
  reg [63:0] address_before;
  always @(posedge clk) begin
    fresh <= rst;
    address_before <= address;
  end
  always @* begin
    if (fresh) assume (whole == 0);
    else assume (address == address_before);
  end

  // Images that have come whole count up, and an image begins while all before the last are stored.
  reg [47:0] whole_before = 0;
  always @(posedge clk) whole_before <= rst ? 0 : whole;
  integer a, b;
  reg [15:0] ahead, grown;
  always @* begin
    assume (own < 3);
    if (stored) assume (busy);
    for (a = 0; a < 3; a = a + 1) begin
      grown = whole[16*a +: 16] - whole_before[16*a +: 16];
      if (begun) assume (grown < 2);
      else assume (whole == 0);
      for (b = 0; b < 3; b = b + 1) begin
        ahead = whole[16*a +: 16] - gone[16*b +: 16];
        if (a == b) assume (ahead <= 2);
        else assume (ahead <= 2 || ahead >= 16'hfffe);
      end
    end
  end

  integer each_one;
  reg [15:0] lead;
  reg least, all_lead;
  always @* if (begun) begin
    assert (write == (body && mine != 0) && unknown == (body && mine == 0));
    if (write) assert (write_data == link[65:2]);
    assert (store == (boundary && !busy && waits != 0));
  end
  always @* begin
    least = 0;
    all_lead = 1;
    for (each_one = 0; each_one < 3; each_one = each_one + 1) begin
      lead = gone[16*each_one +: 16] - images;
      if (lead == 0) least = 1;
      if (lead == 0 && which != each_one) all_lead = 0;
      if (begun) begin
        assert (lead <= 3);
        if (write && mine[each_one])
          assert (write_index == 2*BEFORE[6*each_one +: 6] + position[5*each_one +: 5]
            + (came[16*each_one] ? SIZES[6*each_one +: 6] : 0));
        if (store && next == each_one) begin
          assert (store_beats == SIZES[6*each_one +: 6]);
          assert (store_index == 2*BEFORE[6*each_one +: 6]
            + (gone[16*each_one] ? SIZES[6*each_one +: 6] : 0));
          assert (store_address == address + offset[64*each_one +: 64]
            + 8*BEFORE[6*each_one +: 6]);
        end
      end
    end
    if (begun) begin
      assert (passed <= 6);
      assert (least);
      // All results of one more image are stored: the last that lacked it is.
      assert (retire == (stored && all_lead
        && (which == 0 ? gone[15:0] : which == 1 ? gone[31:16] : gone[47:32]) == images));
    end
  end

  // For the induction.
  (* hierconn *) wire \dut.busy ;
  (* hierconn *) wire [1:0] \dut.which ;
  (* hierconn *) wire [15:0] \dut.gone0 ;
  (* hierconn *) wire [15:0] \dut.gone1 ;
  (* hierconn *) wire [15:0] \dut.gone2 ;
  (* hierconn *) wire [15:0] \dut.image0 ;
  (* hierconn *) wire [15:0] \dut.image1 ;
  (* hierconn *) wire [15:0] \dut.image2 ;
  (* hierconn *) wire \dut.fresh ;
  (* hierconn *) wire [63:0] \dut.at0 ;
  (* hierconn *) wire [63:0] \dut.at1 ;
  (* hierconn *) wire [63:0] \dut.at2 ;
  (* hierconn *) wire \dut.own0 ;
  (* hierconn *) wire \dut.own1 ;
  (* hierconn *) wire \dut.own2 ;
  (* hierconn *) wire \dut.position0 ;
  (* hierconn *) wire [2:0] \dut.position1 ;
  (* hierconn *) wire [4:0] \dut.position2 ;
  wire [15:0] room_0 = came[15:0] - gone[15:0];
  wire [15:0] room_1 = came[31:16] - gone[31:16];
  wire [15:0] room_2 = came[47:32] - gone[47:32];
  wire [15:0] other_0 = own_gone + 2 - gone[15:0];
  wire [15:0] other_1 = own_gone + 2 - gone[31:16];
  wire [15:0] other_2 = own_gone + 2 - gone[47:32];
  wire [15:0] others = (own == 0 ? 0 : other_0) + (own == 1 ? 0 : other_1) + (own == 2 ? 0 : other_2);
  always @* if (begun) begin
    assert (\dut.busy == busy && (!busy || (\dut.which == which && which < 3)));
    assert (gone == {\dut.gone2 , \dut.gone1 , \dut.gone0 });
    assert (came == {\dut.image2 , \dut.image1 , \dut.image0 });
    assert (fresh == \dut.fresh );
    if (fresh) assert (offset == 0 && !busy);
    else begin
      assert (\dut.at0 == address + offset[63:0] + 8*BEFORE[5:0]);
      assert (\dut.at1 == address + offset[127:64] + 8*BEFORE[11:6]);
      assert (\dut.at2 == address + offset[191:128] + 8*BEFORE[17:12]);
    end
    assert (mine == {\dut.own2 , \dut.own1 , \dut.own0 });
    assert (position == {\dut.position2 , 2'd0, \dut.position1 , 4'd0, \dut.position0 });
    assert (position[4:0] == 0 && position[9:5] < 7);
    assert (mine == 0 || mine == 1 || mine == 2 || mine == 4);
    assert (room == (room_0 < 2 && room_1 < 2 && room_2 < 2));
    if (waits[own]) assert (passed + others <= 6);
    else assert (passed == 0);
    if (busy) assert (waits[which]);
  end
endmodule
