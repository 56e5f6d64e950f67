"""Masks of attention: as low as needed in front of their quantization, and no lower."""

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.masks import Masked, bound_masks, masked
from hwgen.importers.onnx.quantized import integer_graph_of
from tests.quantized_onnx import Model

KEYS = 16
BEHIND = np.triu(np.ones((KEYS, KEYS), bool), 1)
LOW, HIGH = -3.0, 5.0
FALL = HIGH - LOW + math.log(512 * KEYS)


def bounded(model: onnx.ModelProto) -> onnx.NodeProto:
    """Return the node in front of the Softmax, whose scores range from LOW to HIGH."""
    shape = (1, 2, KEYS, KEYS)
    bound_masks(model.graph, lambda names: dict.fromkeys(names, (LOW, HIGH, shape)))
    return model.graph.node[0]


def addend(model: onnx.ModelProto) -> np.ndarray:
    node = bounded(model)
    assert node.op_type == "Add"
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    return stored[node.input[1]]


@pytest.mark.promise("--calibrate bounds a constant mask in front of a Softmax")
@pytest.mark.parametrize("value", [-np.inf, np.finfo(np.float32).min, -1e9, -1e4, -50.0])
@pytest.mark.parametrize("way", ["add", "where", "where_not"])
def test_a_mask_is_no_lower_than_needed(value: float, way: str) -> None:
    model = Model((1, 2, KEYS, KEYS))
    if way == "add":
        made = model.node("Add", "x", model.constant(np.where(BEHIND, value, 0)))
    elif way == "where":
        made = model.node("Where", model.constant(BEHIND, bool), model.constant(value), "x")
    else:
        made = model.node("Where", model.constant(~BEHIND, bool), "x", model.constant(value))
    found = addend(model.build(model.node("Softmax", made)))
    assert found == pytest.approx(np.where(BEHIND, -FALL, 0))


def test_shares_of_masked_places_are_none_in_a_byte() -> None:
    scores = np.random.default_rng(0).uniform(LOW, HIGH, (999, KEYS))
    given = np.zeros(KEYS, np.float32)
    given[3:] = -np.inf
    mask = Masked(onnx.NodeProto(), "scores", -1, addend=given)
    added = mask.added(LOW, HIGH, scores.shape)
    assert added is not None
    shares = np.exp(scores + added)
    shares /= shares.sum(axis=-1, keepdims=True)
    assert shares[:, 3:].max() < 0.5 / 255 and shares[:, 3:].max() > 0


def test_each_row_falls_from_its_largest_addend() -> None:
    slopes = -0.5 * np.abs(np.subtract.outer(np.arange(KEYS), np.arange(KEYS))) + 2.0
    model = Model((1, 2, KEYS, KEYS))
    made = model.node("Add", "x", model.constant(np.where(BEHIND, -np.inf, slopes)))
    found = addend(model.build(model.node("Softmax", made)))
    assert found[BEHIND] == pytest.approx(2.0 - FALL)
    assert found[~BEHIND] == pytest.approx(slopes[~BEHIND])


def test_what_masks_nothing_stays() -> None:
    biases = np.random.default_rng(1).normal(size=(KEYS, KEYS))
    for axis, value in ((-1, 0.0), (2, -1e4)):
        model = Model((1, 2, KEYS, KEYS))
        added = np.where(BEHIND, value, biases)
        made = model.build(
            model.node("Softmax", model.node("Add", "x", model.constant(added)), axis=axis)
        )
        kept = made.graph.node[0].input[1]
        assert bounded(made).input[1] == kept


def test_a_choice_of_usual_scores_is_no_mask() -> None:
    model = Model((1, 2, KEYS, KEYS))
    made = model.node("Where", model.constant(BEHIND, bool), model.constant(-2.0), "x")
    assert bounded(model.build(model.node("Softmax", made))).op_type == "Where"


def test_a_mask_is_found_behind_other_nodes() -> None:
    model = Model((1, 2, KEYS, KEYS))
    first = model.node("Add", "x", model.constant(np.where(BEHIND, -1e9, 0)))
    flat = model.node("Reshape", first, model.constant([2, KEYS, KEYS], np.int64))
    second = model.node("Add", model.constant(np.full(KEYS, 0.5)), flat)
    graph = model.build(model.node("Softmax", second)).graph
    assert [each.scores for each in masked(graph)] == [flat, "x"]


def exported(name: str, exporter: str, folder: Path) -> tuple[Path, np.ndarray]:
    from tests.corpus.sequences import SEQUENCES
    from tests.corpus.torch_networks import drawn
    from tests.zoo.exports import export

    make, shape = SEQUENCES[name]
    path = export(drawn(make, seed=5), shape, folder / f"{name}.onnx", exporter)
    return path, np.random.default_rng(0).normal(size=(12, *shape)).astype(np.float32)


def decibels(name: str, exporter: str, folder: Path) -> float:
    """Return how far a quantized network is from its float file; hold that it is imported."""
    path, images = exported(name, exporter, folder)
    model = quantized_model(path, images[:, :, np.newaxis])
    lower(integer_graph_of(model, name=name, source=name), kernels="onnxruntime")
    real, quantized = (
        np.concatenate([session.run(None, {"image": each[np.newaxis]})[0] for each in images])
        for session in (
            onnxruntime.InferenceSession(path),
            onnxruntime.InferenceSession(model.SerializeToString()),
        )
    )
    return float(10 * np.log10((real**2).sum() / ((real - quantized) ** 2).sum()))


DEFAULT = (("sdpa", "script"), ("fill_inf", "dynamo"), ("add_lowest", "script"))


def ways() -> list[object]:
    from tests.corpus.sequences import MASKS

    pairs = [(how, exporter) for how in MASKS for exporter in ("script", "dynamo")]
    return [
        pytest.param(*pair, marks=[] if pair in DEFAULT else [pytest.mark.long]) for pair in pairs
    ]


@pytest.mark.dear("add_lowest-script")
@pytest.mark.promise("a causal mask costs no accuracy, however an exporter writes it")
@pytest.mark.parametrize(("how", "exporter"), ways())
def test_every_way_to_write_a_mask(how: str, exporter: str, tmp_path: Path) -> None:
    without = decibels("gpt_no_mask", exporter, tmp_path)
    assert decibels(f"gpt_{how}", exporter, tmp_path) > without - 1
