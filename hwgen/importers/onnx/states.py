"""Which inputs of a file are states: those that its recurrent nodes give back as outputs.

Tests: `tests/importers/onnx/test_states.py`.
"""

import onnx

RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
FIRST_STATE = 5
"""Place of the first state among the inputs of a recurrent node; of what it becomes: output 1."""
PASSED = frozenset({"Identity", "Reshape", "Squeeze", "Unsqueeze"})


def recurrent_states(model: onnx.ModelProto) -> dict[str, str]:
    """Return by input of a file the output that a recurrent node makes of it."""
    graph, found = model.graph, {}
    inputs, outputs = ({each.name for each in given} for given in (graph.input, graph.output))
    writers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type not in RECURRENT:
            continue
        for place, given in enumerate(node.input[FIRST_STATE : FIRST_STATE + 2]):
            name = given
            while name in writers and writers[name].op_type in PASSED:
                name = writers[name].input[0]
            made = set(node.output[1 + place : 2 + place])
            for other in graph.node:
                if other.op_type in PASSED and other.input[0] in made:
                    made.update(other.output)
            ends = sorted(made & outputs)
            if name in inputs and ends:
                found[name] = ends[0]
    return found
