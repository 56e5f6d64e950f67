"""Which layers of a network run on an MRAM chip, whatever its size.

Tests: `tests/mram/compiler/test_refused.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.mram.compiler.supported import ANY_KERNEL, GROUPS, field_limit, layer_refusals
from hwgen.mram.facts.records import ELEMENT_BITS
from hwgen.network import Layer, QuantizedNetwork

MAPS = f"maps of at most {ELEMENT_BITS} bits"
WEIGHTED = f"{MAPS}; weights of at most {ELEMENT_BITS} bits"
STRIDE = f"stride at most {field_limit('stride_y')}"
POOL = (
    f"{MAPS}; kernel at most {field_limit('kernel_height')} x {field_limit('kernel_height')};"
    f" padding at most {field_limit('pad_top')}; {STRIDE}"
)
LAYER_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "conv": f"{WEIGHTED}; groups {GROUPS}; kernel {ANY_KERNEL}; {STRIDE}",
        "linear": WEIGHTED,
        "max_pool": POOL,
        "average_pool": f"{POOL}; padding counts",
        "add": MAPS,
        "rescale": MAPS,
        "shortcut": f"{MAPS}; {STRIDE}",
    }
)
"""Limits of each kind of layer on chips of any size, for people; others run on none."""


def layer_remarks(network: QuantizedNetwork) -> dict[str, str]:
    """Return by layer why no chip runs it, all reasons at once; empty: one runs it."""
    return {layer.name: layer_remark(network, layer) for layer in network.layers}


def layer_remark(network: QuantizedNetwork, layer: Layer) -> str:
    """Return the remark on one layer."""
    found = [
        f"{what.partition(': ')[2]} must be {allowed}, got {given}"
        for what, allowed, given in layer_refusals(network, layer)
    ]
    if not layer.output.raw and layer.output.bits > ELEMENT_BITS:
        found.append(f"the output's bits must be at most {ELEMENT_BITS}, got {layer.output.bits}")
    return f"no: {'; '.join(found)}" if found else ""
