"""Amaranth generators and the Verilog emitter."""
