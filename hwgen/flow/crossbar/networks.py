"""Networks for synthesis: those that ship, by name, and those of ONNX files."""

from pathlib import Path

from hwgen.errors import ConfigError
from hwgen.flow.load import load
from hwgen.spec.crossbar.network import CrossbarNetwork
from hwgen.spec.graph import Graph


def load_network(name_or_path: str, size: tuple[int, ...] | None = None) -> CrossbarNetwork:
    """Return the layers of a network that ships, or of an ONNX file.

    size: of the image in the order of the file, where that leaves sides open
    """
    compiler = load("hwgen.compiler.crossbar")
    if name_or_path in compiler.ZOO and size is None:
        network: CrossbarNetwork = compiler.shipped_network(name_or_path)
        return network
    path = Path(name_or_path)
    if path.suffix == ".onnx" or path.exists():
        network = compiler.network_of(load("hwgen.importers.onnx").read_graph(path, size))
        return network
    raise unknown("an ONNX file or ", name_or_path)


def network_names() -> tuple[str, ...]:
    """Return the networks that ship."""
    return tuple(load("hwgen.compiler.crossbar").ZOO)


def write_network(name: str, out: Path) -> str:
    """Write a network that ships as an ONNX file; return what was written."""
    compiler, importer = load("hwgen.compiler.crossbar"), load("hwgen.importers.onnx")
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
