"""Words of Verilog and SystemVerilog, which no signal may be called."""

WORDS = """
accept_on alias always and assert assign assume automatic before begin bind bins binsof bit break
buf byte case casex casez cell chandle checker class clocking config const constraint context
continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
endtask enum event expect export extends extern final first_match for force foreach forever fork
forkjoin function generate genvar global highz0 highz1 if iff ifnone implies import incdir include
initial inout input inside instance int integer interface intersect join join_any join_none large
let liblist library local localparam logic longint macromodule matches medium modport module nand
negedge new nexttime nor noshowcancelled not notif0 notif1 null or output package packed parameter
pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup pure rand
randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict return
rnmos rpmos rtran s_always s_eventually s_nexttime s_until scalared sequence shortint shortreal
showcancelled signed small soft solve specify specparam static string strong strong0 strong1
struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
timeprecision timeunit tran tri tri0 tri1 triand trior trireg type typedef union unique unique0
unsigned until untyped use uwire var vectored virtual void wait wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""
TAKEN = frozenset(WORDS.split())
