"""Layers that a crossbar accelerator is synthesized for, and programs of its chips."""

from hwgen.crossbar.compiler.compile import compile_network, step_list, tiling, unstored
from hwgen.crossbar.compiler.layers import network_of
from hwgen.crossbar.compiler.zoo import ZOO, shipped_network

__all__ = [
    "ZOO",
    "compile_network",
    "network_of",
    "shipped_network",
    "step_list",
    "tiling",
    "unstored",
]
