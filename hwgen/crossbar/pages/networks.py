"""Networks for synthesis: those that ship, by name, and those of ONNX files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hwgen.crossbar import compiler
from hwgen.crossbar.compiler import ZOO
from hwgen.crossbar.compiler.compile import check_flits
from hwgen.crossbar.compiler.lowering import check_computed
from hwgen.crossbar.compiler.quantized import bits_of, crossbar_network
from hwgen.crossbar.facts.buildable import (
    check_buildable,
    with_buildable_adcs,
    with_buildable_pads,
)
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT, Rules
from hwgen.errors import ConfigError
from hwgen.files import shipped
from hwgen.network import file
from hwgen.network.operations import Graph


def load_network(
    name_or_path: str, size: tuple[int, ...] | None = None, rules: Rules = STRICT
) -> CrossbarNetwork:
    """Return the layers of a network that ships, or of an ONNX file.

    size: of the image in the order of the file, where that leaves sides open
    rules: that a synthesis counts by
    """
    if name_or_path in compiler.ZOO and size is None:
        network: CrossbarNetwork = compiler.shipped_network(name_or_path)
        return network
    path = Path(name_or_path)
    if path.suffix == ".onnx" or path.exists():
        from hwgen.importers.onnx import read_graph

        network = compiler.network_of(read_graph(path, size), rules)
        return network
    raise shipped.unknown_name(
        name_or_path,
        (*network_names(), *shipped.networks()),
        what="the network",
        allowed="an ONNX file, a quantized network (.npz) or ",
    )


def load_problem(
    name_or_path: str,
    components: Components,
    size: tuple[int, ...] | None = None,
    *,
    rules: Rules = STRICT,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[CrossbarNetwork, Components]:
    """Return the layers of a network and the constants with the bits of its data.

    A quantized network file says its bits; any other network has those of the constants. Under
    strict rules a file whose network runs on no chip of these constants is refused, and ADCs and
    scratchpads that no chip is built with are passed over.
    """
    path = Path(name_or_path)
    if path.suffix != ".npz":
        return load_network(name_or_path, size, rules), components
    if size is not None:
        raise ConfigError(
            field="--image-size",
            allowed="of an ONNX file that leaves sides open",
            given=f"{path}, which says the size of its image",
            source="command line",
        )
    quantized = file.load_network(path)
    network = crossbar_network(quantized)
    weights, activations = bits_of(quantized)
    components = replace(components, weight_bits=weights, activation_bits=activations)
    if rules == STRICT:
        check_computed(quantized)
        check_flits(components.network_on_chip.flit_bits, components.name)
        components, passed_over = with_buildable_adcs(components, points(components, rules))
        for sentence in passed_over:
            say(f"an ADC is passed over: {sentence}")
        components, passed_over = with_buildable_pads(network, components)
        for sentence in passed_over:
            say(f"a scratchpad is passed over, which words would outrun: {sentence}")
        check_buildable(network, components, points(components, rules))
    return network, components


def network_names() -> tuple[str, ...]:
    """Return the networks that ship."""
    return tuple(ZOO)


def write_network(name: str, out: Path) -> str:
    """Write a network that ships as an ONNX file; return what was written."""
    from hwgen.importers.onnx import read_graph, write_graph

    if name not in compiler.ZOO:
        raise shipped.unknown_name(name, network_names(), what="the network", allowed="")
    graph: Graph = compiler.ZOO[name]()
    write_graph(graph, out)
    network: CrossbarNetwork = compiler.network_of(read_graph(out))
    layers = sum(layer.has_weights for layer in network.layers)
    return f"{out}: {network.name}, {layers} layers with weights"
