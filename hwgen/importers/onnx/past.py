"""A decoder's step with its past: the same decoder of all tokens at once, whose mask is causal.

A step reads one token and the caches of keys and values, and gives the caches with a further row:
by Concat along the sequence, or, where they have all rows from the start, by ScatterND,
ScatterElements or a Where at the position. Without the caches, with as many tokens as positions,
each token meets the tokens before it. `hwgen.network.decoding.decode` makes the step of that.

Tests: `tests/importers/onnx/test_past.py`.
"""

from collections.abc import Collection, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.errors import FormatError
from hwgen.importers.onnx.check import check_ends, check_sizes
from hwgen.importers.onnx.masks import LOWEST
from hwgen.importers.onnx.step_calls import Calls

AXIS = 1
"""Of the tokens in the input of a step: (batch, tokens, channels)."""
PASSED = frozenset({"Cast", "Identity", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators between a cache and what it becomes."""
ELEMENTWISE = frozenset(
    {"Abs", "Add", "Cast", "Clip", "Div", "Dropout", "Erf", "Exp", "Gelu", "HardSigmoid"}
    | {"HardSwish", "Identity", "LayerNormalization", "LeakyRelu", "Max", "Min", "Mul", "Neg"}
    | {"Pow", "ReduceMean", "Relu", "RMSNormalization", "Sigmoid", "Softmax", "Sqrt", "Sub"}
    | {"Tanh", "Where"}
)
"""Operators whose output has the tokens where the input has them; norms run over channels."""


def whole_of(model: onnx.ModelProto, positions: int, *, source: str) -> onnx.ModelProto:
    """Return the decoder of `positions` tokens of a step's file; the model is not changed.

    A mask and a position that are inputs go with the caches: each token meets those before it.
    Raises FormatError for a file without caches, for what stands between them and the tokens, and
    for a step that onnxruntime computes otherwise, call by call, than a causal decoder.
    """
    return Whole(model, positions, source).made()


class Whole:
    """The work on one file.

    along: of each tensor that depends on the tokens, the axis on which they lie
    """

    def __init__(self, model: onnx.ModelProto, positions: int, source: str) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.graph, self.positions, self.source = self.model.graph, positions, source
        fix_sides(self.graph)
        self.step = onnx.ModelProto()
        self.step.CopyFrom(self.model)
        known = onnx.shape_inference.infer_shapes(self.model, data_prop=True).graph
        self.sides = {
            each.name: [side.dim_value for side in each.type.tensor_type.shape.dim]
            for each in (*known.input, *known.value_info, *known.output)
        }
        self.constants = {each.name: each for each in self.graph.initializer}
        self.sides |= {name: list(each.dims) for name, each in self.constants.items()}
        for node in self.graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
                self.sides[node.output[0]] = list(node.attribute[0].t.dims)
        check_ends(model, source)
        check_sizes(self.sides, source)
        self.tokens = self.token_input()
        self.along: dict[str, int] = {self.tokens.name: AXIS}

    def refuse(self, field: str, allowed: str, given: object) -> FormatError:
        """Return the error of a file."""
        return FormatError(field=field, allowed=allowed, given=given, source=self.source)

    def token_input(self) -> onnx.ValueInfoProto:
        """Return the input that is a token: float, (batch, 1, channels)."""
        of_graph = [each for each in self.graph.input if each.name not in self.constants]
        found: list[onnx.ValueInfoProto] = [
            each
            for each in of_graph
            if each.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
            and len(self.sides[each.name]) == AXIS + 2
        ]
        if len(found) != 1:
            names = ", ".join(each.name for each in of_graph)
            raise self.refuse(
                "the inputs of a step", "one token (1, 1, channels) of float, and caches", names
            )
        (token,) = found
        return token

    def made(self) -> onnx.ModelProto:
        """Return the model of all tokens."""
        caches = self.caches()
        held = self.held(caches)
        self.calls = Calls(self.step, self.tokens.name, held, self.positions, self.source)
        gone = self.without_caches(caches)
        for node in self.graph.node:
            self.follow(node)
        scores = self.mask()
        kept = [each for each in self.graph.output if each.name not in gone]
        if not kept:
            raise self.refuse("the outputs of a step", "one beside the caches", "none")
        del self.graph.output[:]
        self.graph.output.extend(self.with_tokens(each) for each in kept)
        self.clean()
        del self.graph.value_info[:]
        self.calls.check(self.model, self.along, scores)
        return self.model

    def caches(self) -> dict[str, str]:
        """Return by what a cache becomes the row that comes to it."""
        pasts = {each.name for each in self.graph.input} - {*self.constants, self.tokens.name}
        found = {}
        for node in self.graph.node:
            if node.op_type in PASSED and node.input[0] in pasts:
                pasts.add(node.output[0])
                continue
            places = {"Concat": (0, 1), "ScatterElements": (0, 2), "ScatterND": (0, 2)}
            if node.op_type in places:
                past, row = (node.input[place] for place in places[node.op_type])
                if past in pasts and row not in self.constants:
                    found[node.output[0]] = row
            if node.op_type == "Where" and len(pasts & set(node.input[1:])) == 1:
                (row,) = set(node.input[1:]) - pasts
                found[node.output[0]] = row
        if not found:
            allowed = "with caches: present = Concat(past, new), a scatter or a Where at a position"
            raise self.refuse("a step", allowed, "none")
        return found

    def without_caches(self, caches: dict[str, str]) -> set[str]:
        """Let readers of caches read the rows; return the outputs that were caches."""
        gone, left = set(caches), list[onnx.NodeProto]()
        for node in self.graph.node:
            if node.output and node.output[0] in caches:
                continue
            if node.op_type in PASSED and node.input[0] in gone:
                gone.add(node.output[0])
            node.input[:] = [caches.get(name, name) for name in node.input]
            left.append(node)
        del self.graph.node[:]
        self.graph.node.extend(left)
        return gone

    def needed_by(self, outputs: set[str]) -> set[str]:
        """Return these tensors, and all that they depend on."""
        found = set(outputs)
        for node in reversed(self.graph.node):
            if not found.isdisjoint(node.output):
                found.update(node.input)
        return found

    def follow(self, node: onnx.NodeProto) -> None:
        """Note where the tokens lie behind a node, and let a Reshape have all of them."""
        mine = [name for name in node.input if name in self.along]
        if not mine or not node.output:
            return
        axis = self.behind(node, mine)
        if axis is None:
            raise self.refuse(
                f"node {node.name or node.output[0]} ({node.op_type})",
                "one that leaves the tokens of a step on an axis of their own",
                f"{node.op_type} of {', '.join(mine)}",
            )
        for name in node.output:
            self.along[name] = axis

    def behind(self, node: onnx.NodeProto, mine: Sequence[str]) -> int | None:
        """Return the axis of the tokens behind a node; None: it is not known."""
        first, rank = mine[0], len(self.sides.get(node.output[0], ()))
        axis, of_first = self.along[first], len(self.sides.get(first, ()))
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        found: int | None = None
        match node.op_type:
            case "Transpose":
                found = list(attributes["perm"]).index(axis)
            case "Reshape":
                found = self.reshaped(node, axis)
            case "MatMul" | "Gemm" if node.input[0] == first and axis != of_first - 1:
                found = axis + rank - of_first
            case "Unsqueeze" | "Squeeze":
                axes = [each % max(rank, of_first) for each in self.axes(node, attributes)]
                if node.op_type == "Unsqueeze":
                    found = [place for place in range(rank) if place not in axes][axis]
                elif axis not in axes:
                    found = axis - sum(each < axis for each in axes)
            case "Split" | "Slice" | "Concat":
                found = axis
            case "Gather":
                at = attributes.get("axis", 0) % of_first
                found = axis if at > axis else axis + rank - of_first
            case kind if kind in ELEMENTWISE:
                places = {self.along[name] + rank - len(self.sides[name]) for name in mine}
                found = places.pop() if len(places) == 1 else None
        return found

    def axes(self, node: onnx.NodeProto, attributes: dict[str, object]) -> list[int]:
        """Return the axes of a node: an attribute, or a constant."""
        if "axes" in attributes:
            return [int(each) for each in attributes["axes"]]  # type: ignore[attr-defined]
        given = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        return [] if given is None else numpy_helper.to_array(given).ravel().tolist()

    def reshaped(self, node: onnx.NodeProto, axis: int) -> int | None:
        """Return the axis behind a Reshape: as many elements before it, and one token there."""
        before, after = self.sides[node.input[0]], self.sides.get(node.output[0], [])
        if not after or 0 in after:
            return None
        elements = int(np.prod(before[:axis]))
        places = [
            place
            for place, side in enumerate(after)
            if place >= 1 and side == 1 and int(np.prod(after[:place])) == elements
        ]
        if not places:
            return None
        sides = list(after)
        sides[places[0]] = self.positions
        name = f"{node.output[0]}/sides"
        self.graph.initializer.append(numpy_helper.from_array(np.array(sides, np.int64), name))
        node.input[1] = name
        return places[0]

    def held(self, caches: Collection[str]) -> dict[str, str]:
        """Return by input that is a cache the output that it becomes; caches: what they become."""
        began = {each.name: each.name for each in self.graph.input}
        for node in self.graph.node:
            known = [name for name in node.input if name in began]
            if known and (node.op_type in PASSED or node.output[0] in caches):
                began[node.output[0]] = began[known[0]]
        outputs = [each.name for each in self.graph.output if each.name in began]
        return {began[name]: name for name in outputs}

    def mask(self) -> dict[str, str]:
        """Put a causal mask in front of each softmax, instead of what comes from inputs.

        Returns by what a softmax of the step reads the scores that it has without its mask.
        """
        name, count = "causal mask", self.positions
        above = np.triu(np.full((count, count), LOWEST, np.float32), 1)
        self.graph.initializer.append(numpy_helper.from_array(above, name))
        writers = {each: node for node in self.graph.node for each in node.output}
        nodes, found = list[onnx.NodeProto](), dict[str, str]()
        for node in self.graph.node:
            if node.op_type == "Softmax" and node.input[0] in self.along:
                found[node.input[0]] = scores = self.unmasked(node.input[0], writers)
                masked = f"{node.output[0]}/masked"
                nodes.append(helper.make_node("Add", [scores, name], [masked], masked))
                node.input[0] = masked
            nodes.append(node)
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        return found

    def unmasked(self, scores: str, writers: dict[str, onnx.NodeProto]) -> str:
        """Return the scores without what comes from others than the tokens."""
        node = writers.get(scores)
        while node is not None and node.op_type in ("Add", "Where"):
            mine = [name for name in node.input if name in self.along]
            if len(mine) != 1:
                break
            scores = mine[0]
            node = writers.get(scores)
        return scores

    def clean(self) -> None:
        """Leave out what no output reads; the tokens are the only input."""
        needed = self.needed_by({each.name for each in self.graph.output})
        kept = [node for node in self.graph.node if not needed.isdisjoint(node.output)]
        del self.graph.node[:]
        self.graph.node.extend(kept)
        inputs = [each for each in self.graph.input if each.name in needed]
        del self.graph.input[:]
        for each in inputs:
            if each.name == self.tokens.name:
                self.graph.input.append(self.with_tokens(each))
            elif each.name not in self.constants:
                raise self.refused_input(each.name)
        left = [each for each in self.graph.initializer if each.name in needed]
        del self.graph.initializer[:]
        self.graph.initializer.extend(left)

    def refused_input(self, name: str) -> FormatError:
        """Return the error of an input that meets tokens elsewhere than in a mask or a cache."""
        behind = {name}
        for node in self.graph.node:
            if behind.isdisjoint(node.input):
                continue
            if not self.along.keys().isdisjoint(node.input):
                break
            behind.update(node.output)
        return self.refuse(
            f"node {node.name or node.output[0]} ({node.op_type})",
            "without what the host gives in each call (a rotation by the position, as of RoPE, is"
            " not built; an embedding of it belongs to the row that the host gives)",
            f"what depends on {name}",
        )

    def with_tokens(self, given: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
        """Return an input or output of one batch with all tokens."""
        axis, sides = self.along.get(given.name), list(self.sides[given.name])
        if axis is None:
            raise self.refuse(f"output {given.name}", "of the token, or a cache", "another")
        sides[0], sides[axis] = 1, self.positions
        kind = given.type.tensor_type.elem_type
        return helper.make_tensor_value_info(given.name, kind, sides)


def fix_sides(graph: onnx.GraphProto) -> None:
    """Set the batch of all inputs to one, and a side of tokens that the file leaves open, too."""
    of_inputs = [each.type.tensor_type for each in graph.input]
    floats = [each for each in of_inputs if each.elem_type == onnx.TensorProto.FLOAT]
    tokens = [each.shape.dim[AXIS] for each in floats if len(each.shape.dim) == AXIS + 2]
    names = {side.dim_param for side in tokens if side.dim_param}
    for side in tokens:
        side.dim_value = side.dim_value or 1
    for each in of_inputs:
        for place, side in enumerate(each.shape.dim):
            if not side.dim_value and (place == 0 or side.dim_param in names):
                side.dim_value = 1
