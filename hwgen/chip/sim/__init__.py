"""Simulation of whole chips: Verilator builds them, hosts and memories in Verilog run them."""
