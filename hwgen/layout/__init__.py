"""Layouts: a module's Verilog as cells of a PDK, placed, routed and drawn, and what checks that."""
