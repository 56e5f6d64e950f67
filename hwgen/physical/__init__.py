"""Area, clock and energy of emitted Verilog: synthesis with a cell library, module by module."""
