"""Networks for synthesis: those that ship, by name, and those of ONNX files."""

from dataclasses import replace
from pathlib import Path

from hwgen.commands.load import load
from hwgen.crossbar.facts.buildable import check_buildable
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import Rules, is_strict
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.operations import Graph


def load_network(name_or_path: str, size: tuple[int, ...] | None = None) -> CrossbarNetwork:
    """Return the layers of a network that ships, or of an ONNX file.

    size: of the image in the order of the file, where that leaves sides open
    """
    compiler = load("hwgen.crossbar.compiler")
    if name_or_path in compiler.ZOO and size is None:
        network: CrossbarNetwork = compiler.shipped_network(name_or_path)
        return network
    path = Path(name_or_path)
    if path.suffix == ".onnx" or path.exists():
        network = compiler.network_of(load("hwgen.importers.onnx").read_graph(path, size))
        return network
    raise unknown("an ONNX file or ", name_or_path)


def load_problem(
    name_or_path: str,
    components: Components,
    size: tuple[int, ...] | None = None,
    *,
    rules: Rules = "strict",
) -> tuple[CrossbarNetwork, Components]:
    """Return the layers of a network and the constants with the bits of its data.

    A quantized network file says its bits; any other network has those of the constants. Under
    strict rules a file whose network runs on no chip of these constants is refused.
    """
    path = Path(name_or_path)
    if path.suffix != ".npz":
        return load_network(name_or_path, size), components
    if size is not None:
        raise ConfigError(
            field="--image-size",
            allowed="of an ONNX file that leaves sides open",
            given=f"{path}, which says the size of its image",
            source="command line",
        )
    compiler = load("hwgen.crossbar.compiler.quantized")
    quantized: QuantizedNetwork = load("hwgen.network.file").load_network(path)
    network: CrossbarNetwork = compiler.crossbar_network(quantized)
    weights, activations = compiler.bits_of(quantized)
    bits = {"weight_bits": weights, "activation_bits": activations}
    components = replace(components, **bits)
    if is_strict(rules):
        load("hwgen.crossbar.compiler.lowering").check_computed(quantized)
        check_buildable(network, components, points(components, rules))
        flit_bits = components.network_on_chip.flit_bits
        load("hwgen.crossbar.compiler.compile").check_flits(flit_bits, components.name)
    return network, components


def network_names() -> tuple[str, ...]:
    """Return the networks that ship."""
    return tuple(load("hwgen.crossbar.compiler").ZOO)


def write_network(name: str, out: Path) -> str:
    """Write a network that ships as an ONNX file; return what was written."""
    compiler, importer = load("hwgen.crossbar.compiler"), load("hwgen.importers.onnx")
    if name not in compiler.ZOO:
        raise unknown("", name)
    graph: Graph = compiler.ZOO[name]()
    importer.write_graph(graph, out)
    network: CrossbarNetwork = compiler.network_of(importer.read_graph(out))
    layers = sum(layer.has_weights for layer in network.layers)
    return f"{out}: {network.name}, {layers} layers with weights"


def unknown(before: str, given: str) -> ConfigError:
    """Return the complaint about a name, which tells the known ones."""
    return ConfigError(
        field="the network",
        allowed=f"{before}one of {', '.join(network_names())}",
        given=given,
        source="command line",
    )
