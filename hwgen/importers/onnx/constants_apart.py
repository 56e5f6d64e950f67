"""Constants of int8 with one reader each, as a session needs them that is precise without VNNI.

Such a session makes unsigned weights of signed ones, a tensor each reader, by the name of the old.

Tests: `tests/importers/onnx/test_session.py`.
"""

import onnx


def with_constants_apart(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose int8 constants have one reader each, as a precise session needs them.

    A DequantizeLinear of one is copied with it for each node that reads it.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    stored = {
        each.name: each
        for each in model.graph.initializer
        if each.data_type == onnx.TensorProto.INT8
    }
    real = {
        node.output[0]: node
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in stored
    }
    nodes, seen = list(made.graph.node), set[str]()
    del made.graph.node[:]
    for node in nodes:
        for place, name in enumerate(node.input):
            if name in seen and name in real:
                own = onnx.NodeProto()
                own.CopyFrom(real[name])
                node.input[place] = own.output[0] = f"{name}/{len(made.graph.node)}.{place}"
                own.name = f"{own.name}/{len(made.graph.node)}"
                read = [
                    copied(made.graph, stored[each]) if each in stored else each
                    for each in own.input
                ]
                own.input[:] = read
                made.graph.node.append(own)
            elif name in seen and name in stored:
                node.input[place] = copied(made.graph, stored[name])
            seen.add(name)
        made.graph.node.append(node)
    return made


def copied(graph: onnx.GraphProto, tensor: onnx.TensorProto) -> str:
    """Store a tensor once more; return its name."""
    graph.initializer.append(tensor)
    name = graph.initializer[-1].name = f"{tensor.name}/{len(graph.initializer)}"
    return name
