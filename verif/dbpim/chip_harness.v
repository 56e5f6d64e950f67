// The inside of a chip's bench: memory.v on the memory port, its content from +memory=FILE, and a
// window into it. Pasted into module tb; PORT_BITS and BEATS come before.
wire m_arready, m_rlast, m_rvalid, m_awready, m_wready, m_bvalid;
wire [1:0] m_rresp, m_bresp;
wire [PORT_BITS-1:0] m_rdata;
reg run_ends = 0;  // changes when a run is over, so that nobody has to look
always @(negedge trace__running[0]) run_ends = !run_ends;

reg [31:0] latency = 1;
reg [31:0] peek_index = 0;
wire [PORT_BITS-1:0] peek = main_memory.beats[peek_index];
reg [8*1024-1:0] memory_file;

memory #(.PORT_BITS(PORT_BITS), .BEATS(BEATS)) main_memory (
    .clk(clk), .rst(rst), .latency(latency), .stall(0), .seed(1),
    .error_address(64'hffff_ffff_ffff_ffff),
    .araddr(memory__araddr), .arlen(memory__arlen), .arsize(memory__arsize),
    .arburst(memory__arburst), .arvalid(memory__arvalid), .arready(m_arready), .rdata(m_rdata),
    .rresp(m_rresp), .rlast(m_rlast), .rvalid(m_rvalid), .rready(memory__rready),
    .awaddr(memory__awaddr), .awlen(memory__awlen), .awsize(memory__awsize),
    .awburst(memory__awburst), .awvalid(memory__awvalid), .awready(m_awready),
    .wdata(memory__wdata), .wstrb(memory__wstrb), .wlast(memory__wlast), .wvalid(memory__wvalid),
    .wready(m_wready), .bresp(m_bresp), .bvalid(m_bvalid), .bready(memory__bready)
);

always @(*) begin
  memory__arready = m_arready;
  memory__rid = 0;
  memory__rdata = m_rdata;
  memory__rresp = m_rresp;
  memory__rlast = m_rlast;
  memory__rvalid = m_rvalid;
  memory__awready = m_awready;
  memory__wready = m_wready;
  memory__bid = 0;
  memory__bresp = m_bresp;
  memory__bvalid = m_bvalid;
end

initial begin
  if (!$value$plusargs("latency=%d", latency)) latency = 1;
  if ($value$plusargs("memory=%s", memory_file)) $readmemh(memory_file, main_memory.beats);
end
