"""Crossbar accelerators: which design is the best, and how far from it any can be."""
