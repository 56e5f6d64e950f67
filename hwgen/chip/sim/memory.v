// An AXI4 memory with the timing that docs/dbpim-microarchitecture.md gives it ("Memory side"):
// it accepts an address at once; the first beat comes `latency` cycles after the address handshake
// or right after the last beat of the burst before, whichever is later; then a beat in each cycle.
// Writes are accepted at once, the response comes in the cycle after the last beat.
//
// latency        cycles, at least 1
// stall          0: as above; else in so many of 100 cycles each channel does nothing new
// seed           of the stalls
// error_address  the beat that holds this byte is answered with SLVERR, and so is every one behind
//                the end of the memory; all ones: none
// What was touched: `first` to `last`, bytes; `error_met`: error_address among them.
// An address that breaks AXI's rules for bursts, or a WLAST in the wrong place, ends the simulation.
module memory #(
    parameter integer PORT_BITS = 64,
    parameter integer BEATS = 1024  // a power of two
) (
    input wire clk,
    input wire rst,
    input wire [31:0] latency,
    input wire [31:0] stall,
    input wire [31:0] seed,
    input wire [63:0] error_address,
    input wire [63:0] araddr,
    input wire [7:0] arlen,
    input wire [2:0] arsize,
    input wire [1:0] arburst,
    input wire arvalid,
    output wire arready,
    output reg [PORT_BITS-1:0] rdata,
    output reg [1:0] rresp,
    output reg rlast,
    output reg rvalid,
    input wire rready,
    input wire [63:0] awaddr,
    input wire [7:0] awlen,
    input wire [2:0] awsize,
    input wire [1:0] awburst,
    input wire awvalid,
    output wire awready,
    input wire [PORT_BITS-1:0] wdata,
    input wire [PORT_BITS/8-1:0] wstrb,
    input wire wlast,
    input wire wvalid,
    output wire wready,
    output reg [1:0] bresp,
    output reg bvalid,
    input wire bready
);
  localparam integer BYTES = PORT_BITS / 8;
  localparam integer LOW = $clog2(BYTES), INDEX_BITS = $clog2(BEATS);
  localparam integer WAITING = 256;  // bursts that may wait; more than a FIFO of 64 beats asks for
  localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10;

  reg [PORT_BITS-1:0] beats[0:BEATS-1];

  reg [63:0] cycle;
  reg [31:0] random;
  always @(posedge clk) begin
    cycle <= rst ? 0 : cycle + 1;
    random <= rst ? seed ^ 32'h9e3779b9 : next_random(random);
  end

  function automatic [31:0] next_random(input [31:0] last);
    reg [31:0] r;
    begin
      r = last ^ (last << 13);
      r = r ^ (r >> 17);
      next_random = r ^ (r << 5);
    end
  endfunction

  // Each channel looks at other 7 bits, a number of 128.
  wire stall_ar = {25'd0, random[6:0]} * 100 < stall * 128;
  wire stall_r = {25'd0, random[13:7]} * 100 < stall * 128;
  wire stall_aw = {25'd0, random[20:14]} * 100 < stall * 128;
  wire stall_w = {25'd0, random[27:21]} * 100 < stall * 128;
  wire stall_b = {25'd0, random[31:25]} * 100 < stall * 128;

  task automatic check_burst(input [63:0] address, input [7:0] length, input [2:0] size,
                             input [1:0] kind);
    begin
      if (kind != 2'b01) $fatal(1, "memory: a burst must be INCR, got %b", kind);
      if (1 << size != BYTES) $fatal(1, "memory: beats must be whole, got AxSIZE %0d", size);
      if (address % BYTES != 0) $fatal(1, "memory: address %h is not that of a beat", address);
      if (address[63:12] != (address + BYTES * length) >> 12)
        $fatal(1, "memory: burst at %h, AxLEN %0d, crosses 4 KiB", address, length);
    end
  endtask

  function automatic [1:0] response(input [63:0] address);
    response = (address / BYTES == error_address / BYTES || address / BYTES >= BEATS)
        ? SLVERR : OKAY;
  endfunction

  // Whole beats that were read or written, by both channels.
  reg [63:0] first_read, last_read, first_written, last_written;
  reg met_reading, met_writing;
  initial begin
    first_read = ~64'd0;
    first_written = ~64'd0;
    last_read = 0;
    last_written = 0;
    met_reading = 0;
    met_writing = 0;
  end
  wire [63:0] first = first_read < first_written ? first_read : first_written;
  wire [63:0] last = last_read > last_written ? last_read : last_written;
  wire error_met = met_reading || met_writing;

  function automatic met(input [63:0] address);
    met = address / BYTES == error_address / BYTES;
  endfunction

  // Reads: a ring of bursts; `read_*` is the one that is being answered.
  reg [63:0] ring_address[0:WAITING-1];
  reg [8:0] ring_length[0:WAITING-1];
  reg [63:0] ring_due[0:WAITING-1];
  reg [7:0] ring_write, ring_read;
  reg [63:0] read_address;
  reg [8:0] read_left;
  assign arready = !stall_ar;

  always @(posedge clk) begin
    if (rst) begin
      ring_write = 0;
      ring_read = 0;
      read_left = 0;
      rvalid <= 0;
    end else begin
      if (arvalid && arready) begin
        check_burst(araddr, arlen, arsize, arburst);
        ring_address[ring_write] = araddr;
        ring_length[ring_write] = arlen + 1;
        ring_due[ring_write] = cycle + latency;
        ring_write = ring_write + 1;
      end
      if (!rvalid || rready) begin
        rvalid <= 0;
        if (read_left == 0 && ring_read != ring_write && ring_due[ring_read] <= cycle + 1) begin
          read_address = ring_address[ring_read];
          read_left = ring_length[ring_read];
          ring_read = ring_read + 1;
        end
        if (read_left != 0 && !stall_r) begin
          rvalid <= 1;
          rdata <= beats[read_address[LOW+:INDEX_BITS]];
          rresp <= response(read_address);
          rlast <= read_left == 1;
          if (read_address < first_read) first_read <= read_address;
          if (read_address + BYTES - 1 > last_read) last_read <= read_address + BYTES - 1;
          met_reading <= met_reading || met(read_address);
          read_address = read_address + BYTES;
          read_left = read_left - 1;
        end
      end
    end
  end

  // Writes: one burst at a time.
  reg write_busy;
  reg [63:0] write_address;
  reg [8:0] write_left;
  reg write_wrong;
  reg answer;
  assign awready = !stall_aw && !write_busy && !answer && !bvalid;
  assign wready = !stall_w && (write_busy || (awvalid && awready));

  integer lane;
  always @(posedge clk) begin
    if (rst) begin
      write_busy = 0;
      answer = 0;
      bvalid <= 0;
    end else begin
      if (bvalid && bready) bvalid <= 0;
      if (awvalid && awready) begin
        check_burst(awaddr, awlen, awsize, awburst);
        write_address = awaddr;
        write_left = awlen + 1;
        write_wrong = 0;
        write_busy = 1;
      end
      if (wvalid && wready) begin
        if (wlast != (write_left == 1)) $fatal(1, "memory: WLAST %b, %0d left", wlast, write_left);
        for (lane = 0; lane < BYTES; lane = lane + 1)
          if (wstrb[lane])
            beats[write_address[LOW+:INDEX_BITS]][8*lane+:8] = wdata[8*lane+:8];
        write_wrong = write_wrong || response(write_address) != OKAY;
        if (write_address < first_written) first_written <= write_address;
        if (write_address + BYTES - 1 > last_written) last_written <= write_address + BYTES - 1;
        met_writing <= met_writing || met(write_address);
        write_address = write_address + BYTES;
        write_left = write_left - 1;
        if (write_left == 0) begin
          write_busy = 0;
          answer = 1;
        end
      end
      if (answer && !stall_b) begin
        answer = 0;
        bvalid <= 1;
        bresp <= write_wrong ? SLVERR : OKAY;
      end
    end
  end
endmodule
