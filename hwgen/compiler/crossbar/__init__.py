"""From a graph to the layers that a crossbar accelerator is synthesized for."""

from hwgen.compiler.crossbar.layers import network_of
from hwgen.compiler.crossbar.zoo import ZOO, shipped_network

__all__ = ["ZOO", "network_of", "shipped_network"]
