"""The dataflow of a network as intermediate representations (seed 003, Section IV-B, Table II).

A graph of one node for each operation, computation block and bit. It is kept folded, a list of
operations a layer, and unfolded as far as somebody looks: a large network has millions of nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

Instruction = Literal[
    "transfer", "load", "mvm", "adc", "alu", "chain", "gather", "store", "merge", "send", "result"
]
EdgeKind = Literal["inter-bit", "inter-operation", "inter-block", "inter-layer", "register", "bank"]


class Node(NamedTuple):
    """Place of an IR in the graph.

    layer: place of the layer in its network
    cnt: computation block, from 0
    place: of the operation among those of its layer
    bit: bit step, from 0; 0 for what is done once a block
    """

    layer: int
    cnt: int
    place: int
    bit: int


class Edge(NamedTuple):
    """`target` waits for `source`."""

    source: Node
    target: Node
    kind: EdgeKind


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What is the same in all IRs of one operation of a layer; None: not a parameter of this IR.

    aluop: of an alu: shift_add, addition, relu, sigmoid, pool or eltwise
    per_bit: one IR for each bit step, not only one for a block
    xb_num: crossbars that work
    vec_width: elements; for transfer, load, store and merge those of the macro with the most
    macro_num: macros whose outputs are merged
    src, dst: macros from which, and to which, a transfer goes
    """

    ir: Instruction
    aluop: str | None = None
    per_bit: bool = False
    xb_num: int | None = None
    vec_width: int | None = None
    macro_num: int | None = None
    src: tuple[int, ...] | None = None
    dst: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """Name among the operations of a layer."""
        return self.aluop or self.ir


@dataclass(frozen=True, kw_only=True)
class Ir:
    """One node with the parameters of Table II; see `Node` and `Operation`."""

    node: Node
    layer_name: str
    operation: Operation


@dataclass(frozen=True, kw_only=True)
class LayerFlow:
    """One layer of a dataflow.

    blocks: computation blocks
    operations: in the order in which each block goes through them
    needs: for each provider its place, and by block the last block of it that must be done
    """

    name: str
    blocks: int
    operations: tuple[Operation, ...]
    needs: tuple[tuple[int, tuple[int, ...]], ...]

    def place_of(self, name: str) -> int | None:
        """Return the place of an operation, None where the layer does without it."""
        names = [operation.name for operation in self.operations]
        return names.index(name) if name in names else None


@dataclass(frozen=True, kw_only=True)
class Dataflow:
    """The graph of a network.

    bits: bit steps of an input
    registers: whether a block waits until the one before it has really left the next registers, and
        one of two banks of the accumulators
    """

    network: str
    bits: int
    layers: tuple[LayerFlow, ...]
    registers: bool = False

    def operation(self, node: Node) -> Operation:
        """Return what a node does."""
        return self.layers[node.layer].operations[node.place]

    def ir(self, node: Node) -> Ir:
        """Return a node with its parameters."""
        name = self.layers[node.layer].name
        return Ir(node=node, layer_name=name, operation=self.operation(node))

    def block(self, layer: int, cnt: int) -> Iterator[Node]:
        """Yield the nodes of one block, operation after operation, bit after bit."""
        for place, operation in enumerate(self.layers[layer].operations):
            for bit in range(self.bits if operation.per_bit else 1):
                yield Node(layer, cnt, place, bit)

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes, layer after layer, block after block."""
        for place, layer in enumerate(self.layers):
            for cnt in range(layer.blocks):
                yield from self.block(place, cnt)

    @cached_property
    def readers(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """By layer and block: the blocks (layer, block) that wait for it."""
        found: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for place, layer in enumerate(self.layers):
            for cnt in range(layer.blocks):
                for provider, blocks in layer.needs:
                    found.setdefault((provider, blocks[cnt]), []).append((place, cnt))
        return found

    def edges_from(self, node: Node) -> Iterator[Edge]:
        """Yield who waits for a node: bit 0 carries all edges but the chain of bits."""
        layer, cnt, place, bit = node
        flow = self.layers[layer]
        if flow.operations[place].per_bit and bit + 1 < self.bits:
            yield Edge(node, Node(layer, cnt, place, bit + 1), "inter-bit")
        if bit > 0:
            return
        is_last = place + 1 == len(flow.operations)
        if not is_last:
            yield Edge(node, Node(layer, cnt, place + 1, 0), "inter-operation")
        if cnt + 1 < flow.blocks:
            yield Edge(node, Node(layer, cnt + 1, place, 0), "inter-block")
            if self.registers and place > 0 and not flow.operations[place - 1].per_bit:
                yield Edge(node, Node(layer, cnt + 1, place - 1, 0), "register")
        first = flow.place_of("mvm")
        adds = flow.operations[place].aluop == "addition"
        if self.registers and first is not None and adds and cnt + 2 < flow.blocks:
            yield Edge(node, Node(layer, cnt + 2, first, 0), "bank")
        if is_last:
            for reader, block in self.readers.get((layer, cnt), []):
                yield Edge(node, Node(reader, block, 0, 0), "inter-layer")

    def edges(self) -> Iterator[Edge]:
        """Yield all edges, by their sources."""
        for node in self.nodes():
            yield from self.edges_from(node)
