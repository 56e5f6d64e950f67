"""States of files: the inputs that a call gives back as outputs."""

from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
import pytest

from golden.states import calls
from hwgen.errors import FormatError, RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.integer.states import with_states
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.inputs import parts_of
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.importers.onnx.states import recurrent_states
from hwgen.network import QuantizedNetwork
from tests.fuzz.states import played, same_calls
from tests.importers.onnx.test_inputs import cell, images_of, saved

CELLS = {"LSTM": {"inputs": 6, "size": 8}, "GRU": {"inputs": 4, "size": 8}}


def imported(operator: str, folder: Path) -> tuple[QuantizedNetwork, object, dict[str, str]]:
    """Return the network with states, the float model, and the pairs."""
    model, shapes = cell(operator, **CELLS[operator])
    path = saved(model, folder)
    made = quantized_model(path, images_of(shapes))
    pairs = recurrent_states(model)
    graph = integer_graph_of(made, name=operator, source=operator)
    graph = with_states(graph, parts_of(made), pairs)
    return lower(graph, kernels="onnxruntime").network, model, pairs


@pytest.mark.promise("the states of LSTM and GRU nodes are found, and go from call to call")
@pytest.mark.parametrize("operator", CELLS)
def test_a_cell_goes_on_from_call_to_call(operator: str, tmp_path: Path) -> None:
    network, model, pairs = imported(operator, tmp_path)
    assert len(pairs) == (2 if operator == "LSTM" else 1)
    assert len(network.states) == len(pairs)
    values = network.graph.input.quantization[0]
    inputs = network.graph.input.channels
    real = np.random.default_rng(0).normal(size=(12, inputs)).astype(np.float32)
    bytes_ = np.rint(real / values.scale) + values.zero_point
    found = calls(network, bytes_.clip(0, 255).astype(np.uint8).reshape(12, 1, 1, inputs))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    shapes = {
        each.name: [s if isinstance(s, int) else 1 for s in each.shape]
        for each in session.get_inputs()
    }
    held = {name: np.zeros(shapes[name], np.float32) for name in pairs}
    (given,) = set(shapes) - set(pairs)
    names = [each.name for each in session.get_outputs()]
    output = network.map_of(network.answer).quantization[0]
    for call in range(12):
        made = session.run(None, {given: real[call].reshape(shapes[given]), **held})
        wanted = made[0].ravel()
        got = (found[network.answer][call].ravel().astype(float) - output.zero_point) * output.scale
        assert np.abs(got - wanted).max() < 0.15 * max(1.0, np.abs(wanted).max())
        held = {name: made[names.index(after)] for name, after in pairs.items()}


FILES = Path(__file__).parent / "states"
FIR = {"d1": "e1", "d2": "e2"}


@pytest.mark.promise("inputs of one range are states as others are, whatever the images")
@pytest.mark.parametrize("seed", range(6))
def test_a_delay_line_of_any_ranges(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = random.normal(size=(16, 1, 1, 12)).astype(np.float32)
    images *= np.repeat(random.choice([0.5, 1, 4], 3), 4).astype(np.float32)
    if seed % 2:
        images = np.tile(images[..., :4], 3)
    found, wanted, _ = played(FILES / "fir.onnx", FIR, images)
    assert np.array_equal(found, wanted) and np.ptp(found) > 9


@pytest.mark.promise("a state may be what several layers left, one behind the other")
def test_the_states_of_two_layers_are_one_input() -> None:
    images = np.random.default_rng(0).normal(size=(16, 1, 1, 12)).astype(np.float32)
    found, wanted, _ = played(FILES / "gru_two_layers.onnx", {"h": "hn"}, images)
    assert np.abs(found - wanted).max() <= 3 < np.ptp(found)


@pytest.mark.promise("a state that a function of one map writes is no head for the host")
@pytest.mark.parametrize("seed", range(6))
def test_drawn_states_go_on_as_in_a_session(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert same_calls(Random(f"states {seed}")) == 0


def test_a_refused_node_is_named_before_a_state() -> None:
    images = np.random.default_rng(0).normal(size=(16, 1, 1, 8)).astype(np.float32)
    made = quantized_model(FILES / "tcn_ring.onnx", images)
    graph = integer_graph_of(made, name="tcn", source="tcn")
    with pytest.raises(RefusedNetworkError, match=r"node /Concat \(Concat\): axis must be"):
        lower(with_states(graph, parts_of(made), {"b0": "n0"}), kernels="onnxruntime")


def test_a_state_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    model, shapes = cell("GRU", inputs=4, size=8)
    made = quantized_model(saved(model, tmp_path), images_of(shapes))
    graph = integer_graph_of(made, name="GRU", source="GRU")
    with pytest.raises(FormatError, match="--state must be among the inputs"):
        with_states(graph, parts_of(made), {"nobody": "Y"})
