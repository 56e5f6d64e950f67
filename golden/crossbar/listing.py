"""A dataflow for a person: as text, a line for each IR, and as a drawing in Graphviz's language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from golden.crossbar.ir import Dataflow, EdgeKind, Node, Operation

DASHES: dict[EdgeKind, str] = {
    "inter-bit": "dotted",
    "inter-operation": "solid",
    "inter-block": "dashed",
    "inter-layer": "bold",
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """The part of a dataflow that somebody wants to see.

    layers: their places; empty: all
    first_block, blocks: of each layer
    bits: of each operation that is repeated by bit
    """

    layers: tuple[int, ...] = ()
    first_block: int = 0
    blocks: int = 2
    bits: int = 2

    def shown_layers(self, dataflow: Dataflow) -> list[int]:
        """Return the layers in view."""
        return [p for p in range(len(dataflow.layers)) if not self.layers or p in self.layers]

    def shown_blocks(self, dataflow: Dataflow, layer: int) -> range:
        """Return the blocks of a layer in view."""
        end = min(dataflow.layers[layer].blocks, self.first_block + self.blocks)
        return range(min(self.first_block, end), end)

    def nodes(self, dataflow: Dataflow, layer: int) -> Iterator[Node]:
        """Yield the nodes of a layer in view."""
        for cnt in self.shown_blocks(dataflow, layer):
            for node in dataflow.block(layer, cnt):
                if node.bit < self.bits:
                    yield node


WINDOW = Window()


def listing(
    dataflow: Dataflow, window: Window = WINDOW, starts: Mapping[Node, int] | None = None
) -> str:
    """Return a line for each IR with its parameters, layer after layer.

    starts: step at which each node starts, if a simulator said so
    """
    lines = [f"{dataflow.network}: {count(dataflow)} IRs, {dataflow.bits} bit steps"]
    for place in window.shown_layers(dataflow):
        flow = dataflow.layers[place]
        providers = ", ".join(dataflow.layers[p].name for p, _ in flow.needs) or "the image"
        lines.append(f"layer {place} {flow.name}: {flow.blocks} blocks, reads {providers}")
        for node in window.nodes(dataflow, place):
            step = "" if starts is None else f"step {starts[node]:>6}  "
            lines.append(f"  {step}{line_of(dataflow, node)}")
        shown = window.shown_blocks(dataflow, place)
        if len(shown) < flow.blocks:
            lines.append(f"  ... {flow.blocks - len(shown)} more blocks")
    return "\n".join(lines) + "\n"


def count(dataflow: Dataflow) -> int:
    """Return the number of IRs."""
    return sum(
        flow.blocks * sum(dataflow.bits if one.per_bit else 1 for one in flow.operations)
        for flow in dataflow.layers
    )


def line_of(dataflow: Dataflow, node: Node) -> str:
    """Return one IR as in Table II, and the blocks of other layers that it waits for."""
    operation = dataflow.operation(node)
    flow = dataflow.layers[node.layer]
    bit = f"bit={node.bit} " if operation.per_bit else ""
    text = f"{operation.ir:<8} layer={node.layer} cnt={node.cnt} {bit}{parameters(operation)}"
    needs = [f"{dataflow.layers[p].name}.{blocks[node.cnt]}" for p, blocks in flow.needs]
    if node.place == 0 and needs:
        text += f"  after {', '.join(needs)}"
    return text


def parameters(operation: Operation) -> str:
    """Return the parameters that an operation has."""
    numbers = {
        "aluop": operation.aluop,
        "xb_num": operation.xb_num,
        "macro_num": operation.macro_num,
        "src": span(operation.src),
        "dst": span(operation.dst),
        "vec_width": operation.vec_width,
    }
    return " ".join(f"{name}={value}" for name, value in numbers.items() if value is not None)


def span(macros: tuple[int, ...] | None) -> str | None:
    """Return macros in short, neighbours as first-last."""
    if macros is None:
        return None
    if len(macros) > 2 and macros == tuple(range(macros[0], macros[-1] + 1)):
        return f"{macros[0]}-{macros[-1]}"
    return ",".join(map(str, macros))


def dot(dataflow: Dataflow, window: Window = WINDOW) -> str:
    """Return a drawing of the nodes in view: a box for each layer, a line style for each kind.

    A block of another layer that is out of view but waited for is drawn as a plain name.
    """
    lines = ["digraph dataflow {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];"]
    shown: set[Node] = set()
    for place in window.shown_layers(dataflow):
        lines.append(f"  subgraph cluster_{place} {{")
        lines.append(f"    label={quoted(f'{place} {dataflow.layers[place].name}')};")
        for node in window.nodes(dataflow, place):
            shown.add(node)
            lines.append(f"    {name_of(node)} [label={quoted(label_of(dataflow, node))}];")
        lines.append("  }")
    for node in sorted(shown):
        lines += [
            f"  {name_of(node)} -> {name_of(edge.target)} [style={DASHES[edge.kind]}];"
            for edge in dataflow.edges_from(node)
            if edge.target in shown
        ]
        if node.place == 0:
            lines += absent(dataflow, node, shown)
    return "\n".join([*lines, "}"]) + "\n"


def absent(dataflow: Dataflow, node: Node, shown: set[Node]) -> list[str]:
    """Return the lines of what a block waits for but cannot be seen."""
    lines = []
    for provider, blocks in dataflow.layers[node.layer].needs:
        flow = dataflow.layers[provider]
        source = Node(provider, blocks[node.cnt], len(flow.operations) - 1, 0)
        if source not in shown:
            label = quoted(f"{flow.name}\n{source.cnt}")
            lines.append(f"  {name_of(source)} [label={label}, shape=plaintext];")
            lines.append(f"  {name_of(source)} -> {name_of(node)} [style=bold];")
    return lines


def name_of(node: Node) -> str:
    """Return a node's name in a drawing."""
    return f"n{node.layer}_{node.cnt}_{node.place}_{node.bit}"


def label_of(dataflow: Dataflow, node: Node) -> str:
    """Return what stands in a node's box: operation, block, bit."""
    operation = dataflow.operation(node)
    bit = f" bit {node.bit}" if operation.per_bit else ""
    return f"{operation.name}\n{node.cnt}{bit}"


def quoted(text: str) -> str:
    """Return text as a string of Graphviz's language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
