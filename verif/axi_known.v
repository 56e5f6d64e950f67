// Beside `host`, under a simulator of four states: ends a run at the first undefined AXI output.
//
// VALID, READY and `irq` are known in every cycle after the reset, everything else of a channel with
// its VALID; all of WDATA, whatever the strobes: models of memories take it as a number.

module axi_known;
  task known(input bit_known, input [8*24-1:0] name);
    if (bit_known === 1'bx) $fatal(1, "axi_known: %0s is undefined at cycle %0d", name, host.cycle);
  endtask

  wire [7:0] levels = {
    host.awready, host.wready, host.bvalid, host.arready, host.rvalid,
    host.chip.irq, host.m_rready, host.m_bready
  };
  wire [2:0] valids = {host.m_arvalid, host.m_awvalid, host.m_wvalid};

  always @(posedge host.clk)
    if (!host.rst) begin
      known(^levels, "READY, VALID or irq");
      known(^valids, "VALID of the memory port");
      if (host.bvalid) known(^host.bresp, "registers BRESP");
      if (host.rvalid) known(^{host.rresp, host.rdata}, "registers R");
      if (host.m_arvalid)
        known(^{host.chip.memory__arid, host.m_araddr, host.m_arlen, host.m_arsize,
                host.m_arburst}, "memory AR");
      if (host.m_awvalid)
        known(^{host.chip.memory__awid, host.m_awaddr, host.m_awlen, host.m_awsize,
                host.m_awburst}, "memory AW");
      if (host.m_wvalid) begin
        known(^{host.m_wstrb, host.m_wlast}, "memory WSTRB or WLAST");
        known(^host.m_wdata, "memory WDATA");
      end
    end
endmodule
