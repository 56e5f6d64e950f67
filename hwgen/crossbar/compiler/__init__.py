"""From a graph to the layers that a crossbar accelerator is synthesized for."""

from hwgen.crossbar.compiler.layers import network_of
from hwgen.crossbar.compiler.zoo import ZOO, shipped_network

__all__ = ["ZOO", "network_of", "shipped_network"]
