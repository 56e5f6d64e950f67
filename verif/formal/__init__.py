"""Proofs of small parts of the RTL, as it is emitted, by the SAT solver of Yosys."""
