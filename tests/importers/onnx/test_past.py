"""A decoder's step with its past becomes a network with states, whichever way the cache grows."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from golden.states import Session
from hwgen.commands.exchange import calibrated_graph
from hwgen.commands.imports import ImportNetwork
from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.past import whole_of
from hwgen.network import Append, QuantizedNetwork
from hwgen.network.decoding import decode

POSITIONS, WIDTH, HEADS = 16, 16, 2


class Step(nn.Module):
    """A block on one token; form: how the new key and value come to those of earlier calls."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.head = nn.Linear(WIDTH, 8)

    def heads(self, x: Tensor) -> Tensor:
        return x.view(1, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def cached(self, past: Tensor, new: Tensor, position: Tensor) -> Tensor:
        match self.form:
            case "concat":
                return torch.cat([past, new], dim=2)
            case "scatter_nd":
                past = past.clone()
                past[:, :, position] = new
                return past
            case "scatter_elements":
                places = position.reshape(1, 1, 1, 1).expand(1, HEADS, 1, WIDTH // HEADS)
                return past.scatter(2, places, new)
        here = (torch.arange(POSITIONS) == position).reshape(1, 1, POSITIONS, 1)
        return torch.where(here, new, past)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, position: Tensor, mask: Tensor):  # type: ignore[no-untyped-def]
        normal = self.norm(x)
        query, key, value = (
            self.heads(each(normal)) for each in (self.query, self.key, self.value)
        )
        keys, values = self.cached(keys, key, position), self.cached(values, value, position)
        scores = query @ keys.transpose(2, 3) * (WIDTH // HEADS) ** -0.5
        if self.form != "concat":
            scores = scores + mask
        read = scores.softmax(-1) @ values
        x = x + self.out(read.transpose(1, 2).reshape(1, -1, WIDTH))
        return self.head(torch.relu(x)), keys, values


SIDE = WIDTH // HEADS
RATES = 10000.0 ** (-torch.arange(0, SIDE, 2) / SIDE)


class Llama(Step):
    """The same whose queries and keys are turned by the position; by: a table, or its angles."""

    def __init__(self, form: str, by: str) -> None:
        super().__init__(form)
        self.by = by
        angles = torch.outer(torch.arange(POSITIONS), RATES).repeat(1, 2)
        self.register_buffer("cosines", angles.cos())
        self.register_buffer("sines", angles.sin())

    def cached(self, past: Tensor, new: Tensor, position: Tensor) -> Tensor:
        cosines, sines = self.cosines[position], self.sines[position]
        if self.by == "angles":
            angles = torch.cat([position * RATES] * 2)
            cosines, sines = angles.cos(), angles.sin()
        turned = torch.cat([-new[..., SIDE // 2 :], new[..., : SIDE // 2]], dim=-1)
        return super().cached(past, new * cosines + turned * sines, position)


class Embedded(Step):
    """The same with an embedding of the position."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.places = nn.Embedding(POSITIONS, WIDTH)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, position: Tensor, mask: Tensor):  # type: ignore[no-untyped-def]
        return super().forward(x + self.places(position), keys, values, position, mask)


FORMS = ("concat", "scatter_nd", "scatter_elements", "where")


def written(form: str, path: Path, step: nn.Module | None = None) -> Path:
    """Write a step as torch's exporter of scripts does; a cache that grows has one row."""
    torch.manual_seed(3)
    rows = 1 if form == "concat" else POSITIONS
    past = torch.zeros(1, HEADS, rows, WIDTH // HEADS)
    mask = torch.zeros(1, 1, 1, POSITIONS)
    given = (torch.zeros(1, 1, WIDTH), past, past, torch.tensor([1]), mask)
    grows = {"past_keys": {2: "past"}, "past_values": {2: "past"}} if form == "concat" else None
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            (step or Step(form)).eval(),
            given,
            path,
            dynamo=False,
            opset_version=17,
            input_names=["token", "past_keys", "past_values", "position", "mask"],
            output_names=["answer", "present_keys", "present_values"],
            dynamic_axes=grows,
        )
    return path


def called(path: Path, tokens: np.ndarray) -> list[np.ndarray]:
    """Return what onnxruntime answers call by call, the caches given back."""
    session = onnxruntime.InferenceSession(path)
    asked = {each.name for each in session.get_inputs()}
    grows = isinstance(session.get_inputs()[1].shape[2], str)
    rows, found = (0 if grows else POSITIONS), []
    held = [np.zeros((1, HEADS, rows, WIDTH // HEADS), np.float32)] * 2
    for position, token in enumerate(tokens):
        mask = np.where(np.arange(POSITIONS) <= position, 0, -1e9).astype(np.float32)
        given = {
            "token": token.reshape(1, 1, WIDTH),
            "past_keys": held[0],
            "past_values": held[1],
            "position": np.array([position], np.int64),
            "mask": mask.reshape(1, 1, 1, -1),
        }
        answer, *held = session.run(None, {name: given[name] for name in asked})
        found.append(answer.ravel())
    return found


def imported(path: Path, folder: Path) -> QuantizedNetwork:
    """Return the network of a step, calibrated with drawn sequences."""
    images = np.random.default_rng(1).normal(size=(8, POSITIONS, 1, WIDTH)).astype(np.float32)
    np.savez(folder / "images.npz", images=images)
    graph, _ = calibrated_graph(path, folder / "images.npz", positions=POSITIONS)
    return decode(lower(graph, kernels="onnxruntime").network)


@pytest.mark.promise("a decoder's step with past and present goes on from call to call")
@pytest.mark.parametrize("form", FORMS)
def test_a_cache_becomes_a_state(form: str, tmp_path: Path) -> None:
    path = written(form, tmp_path / "step.onnx")
    network = imported(path, tmp_path)
    assert len(network.states) == 2 and network.graph.positions == POSITIONS
    assert sum(isinstance(layer, Append) for layer in network.layers) == 2
    tokens = np.random.default_rng(2).normal(size=(POSITIONS, WIDTH)).astype(np.float32)
    values, answer = network.graph.input.quantization[0], network.map_of(network.answer)
    images = (np.rint(tokens / values.scale) + values.zero_point).clip(0, 255).astype(np.uint8)
    session, of_answer = Session(network), answer.quantization[0]
    garbage = np.random.default_rng(3).integers(0, 256, (POSITIONS, WIDTH), np.uint8)
    for name, state in session.states.items():
        session.states[name] = garbage.reshape(state.shape)
    for image, wanted in zip(images, called(path, tokens), strict=True):
        found = session.step(image.reshape(1, 1, 1, WIDTH))[network.answer].ravel()
        real = (found.astype(float) - of_answer.zero_point) * of_answer.scale
        assert np.abs(real - wanted).max() < 0.06 * np.ptp(np.array(wanted)) + 0.02


def test_a_step_without_caches_is_refused(tmp_path: Path) -> None:
    path = written("concat", tmp_path / "step.onnx")
    model = onnx.load(path)
    for node in model.graph.node:
        if node.op_type == "Concat":
            node.op_type = "Sum"
    with pytest.raises(FormatError, match="a step must be with caches"):
        whole_of(model, POSITIONS, source="step.onnx")


@pytest.mark.parametrize("form", ["concat", "scatter_nd"])
@pytest.mark.parametrize("kind", ["table", "angles", "embedding"])
def test_what_turns_with_the_position_is_refused_by_name(
    kind: str, form: str, tmp_path: Path
) -> None:
    step = Embedded(form) if kind == "embedding" else Llama(form, kind)
    path = written(form, tmp_path / "step.onnx", step)
    node = r"node \S+ \(Add\)" if kind == "embedding" else r"node \S+ \(Mul\)"
    wanted = (
        node + r" must be without what the host gives in each call \(a rotation by the position"
    )
    with pytest.raises(FormatError, match=wanted) as raised:
        whole_of(onnx.load(path), POSITIONS, source="step.onnx")
    assert "what depends on position" in str(raised.value)


def test_a_step_is_held_against_the_users_own_calls(tmp_path: Path) -> None:
    path = written("concat", tmp_path / "step.onnx")
    images = np.random.default_rng(1).normal(size=(8, POSITIONS, 1, WIDTH)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images=images)
    request = ImportNetwork(
        path, tmp_path / "net.npz", calibrate=tmp_path / "images.npz", positions=POSITIONS
    )
    found = request.run().content.judged
    assert found is not None and not found.unjudged and found.foreseen
    (distance,) = found.distances
    assert distance.ours is not None and distance.ours > 15
