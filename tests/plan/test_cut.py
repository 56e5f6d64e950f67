"""Cutting an ONNX file: each case erred where it was cut in a plainer way."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hwgen.importers.onnx.external import read_whole_model
from hwgen.network import QuantizedNetwork
from hwgen.plan.cutting import checked, plan_of
from hwgen.plan.feeds import drawn_feeds, feeds_of
from hwgen.plan.file import Plan, PlanTensor, in_axes
from hwgen.plan.judge import DIFFERS, Cut
from hwgen.plan.onnx_cut import OnnxCut
from hwgen.plan.onnx_host import PLAIN, OnnxHost, runner_of
from hwgen.plan.onnx_units import onnx_file
from hwgen.plan.target import Target
from tests.quantized_onnx import Model

CASES = Path(__file__).parent / "cases"


def cut_of(model: onnx.ModelProto, target: Target | None = None, **chosen: Any) -> Plan:
    """Return the plan of a model for golden, checked by other inputs than chose it."""
    file, target = OnnxCut.of(model, "model.onnx"), target or Target()
    inputs = file.tensors(file.units.inputs)
    cut = Cut(file=file, target=target, feeds=drawn_feeds(inputs, 4, 1), **chosen)
    plan = plan_of(cut, file, target, name="net", runtime="onnxruntime", setting="")
    return checked(plan, drawn_feeds(inputs, 6, 2), file.answers)


def places(plan: Plan) -> list[str]:
    """Return where the steps are."""
    return [step.where for step in plan.graph.steps]


def two_convolutions() -> onnx.ModelProto:
    """Return a model with an operator between two convolutions that no chip has, an LRN."""
    model = Model()
    first = model.quantized(model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    between = model.quantized(model.node("LRN", first, size=3), 1 / 128, 128)
    return model.build(model.quantized(model.conv(between, 4, 8, 3, 3)))


@pytest.mark.promise("a network that a chip does not take is cut, and answers as its runtime does")
@pytest.mark.parametrize("case", sorted(CASES.glob("*.onnx")), ids=lambda path: path.stem)
def test_each_case_is_equal_where_it_is_cut(case: Path) -> None:
    seen = cut_of(read_whole_model(case)).graph.seen
    assert seen is not None
    assert seen.equal == seen.elements > 0


def test_an_operator_that_no_chip_has_goes_to_the_host() -> None:
    plan = cut_of(two_convolutions())
    assert places(plan) == ["host", "chip", "host", "chip", "host"]
    assert plan.graph.chip_products == plan.graph.products == 36 * 216 + 16 * 288
    assert plan.graph.steps[2].operators["LRN"] == 1


@pytest.mark.promise("means and maxima over the channels of each pixel are the host's")
@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax"])
def test_what_is_taken_over_channels_is_the_hosts(operator: str) -> None:
    """As a dueling network takes the mean of its advantages."""
    model = Model((1, 16))
    now = model.quantized(model.node("MatMul", model.image(), model.weights(16, 4, axis=1)))
    taken = model.quantized(model.node(operator, now, axes=[1]), 0.02, 10)
    sums = model.quantized(model.node("Sub", now, taken), 0.05, 90)
    last = model.quantized(model.node("MatMul", sums, model.weights(4, 4, axis=1)))
    graph = cut_of(model.build(last)).graph
    assert graph.chip_products == graph.products == 80
    assert graph.seen is not None
    assert graph.seen.equal == graph.seen.elements


def test_a_unit_that_is_seen_to_differ_goes_alone() -> None:
    plan = cut_of(read_whole_model(CASES / "mask_of_two_values.onnx"))
    assert plan.graph.chip_products == plan.graph.products
    assert plan.graph.lines == (f"on the host: Add_23 (Add): {DIFFERS} (0.0%)",)
    kept = cut_of(read_whole_model(CASES / "mask_of_two_values.onnx"), differ=True)
    assert places(kept).count("chip") == 1
    assert max(step.steps for step in kept.graph.steps) > 0
    assert kept.graph.seen is not None
    assert kept.graph.seen.equal < kept.graph.seen.elements


def test_what_is_announced_goes_where_all_must_be_exact() -> None:
    model = Model()
    first = model.quantized(model.conv(model.image(), 8, 3, 3, 3))
    mean = model.quantized(model.node("ReduceMean", first, axes=[2, 3], keepdims=1))
    made = model.build(model.quantized(model.conv(mean, 4, 8, 1, 1)))
    assert places(cut_of(made)) == ["host", "chip", "host"]
    assert places(cut_of(made, strict=True)).count("host") == 3


def test_a_chip_that_rounds_half_up_keeps_its_pieces() -> None:
    class HalfUp(Target):
        """A chip without float32."""

        is_exact = False

    plan = cut_of(two_convolutions(), HalfUp())
    assert plan.graph.chip_products == plan.graph.products
    assert {step.steps for step in plan.graph.steps} <= {0, 1}
    assert not plan.graph.exact


def test_the_compiler_of_a_chip_is_asked() -> None:
    def compiled(network: QuantizedNetwork) -> None:
        from hwgen.errors import CompileError

        wide = [layer.name for layer in network.layers if layer.output.channels == 8]
        if wide:
            raise CompileError(f"layer {wide[0]}: channels must be at most 4, got 8")

    plan = cut_of(two_convolutions(), Target(compiled=compiled))
    assert plan.graph.chip_products == 16 * 288
    reasons = [reason for step in plan.graph.host_steps for reason in step.reasons]
    assert len(reasons) == 1
    assert reasons[0] == "conv_10 (Conv): layer conv_10: channels must be at most 4, got 8"


def test_what_wants_no_runtime_is_computed_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from hwgen.errors import MissingToolError

    model = Model((1, 8))
    parts = model.node("Split", "x", outputs=2, axis=1).split()
    made = model.build(model.quantized(model.node("Concat", *reversed(parts), axis=1)))
    assert {node.op_type for node in made.graph.node} <= PLAIN
    values = {"x": np.linspace(-3, 3, 8, dtype=np.float32).reshape(1, 8)}
    name = made.graph.output[0].name
    (wanted,) = runner_of(made)([name], values)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for each in ("session_graph", "runtime"):
        monkeypatch.delitem(sys.modules, f"hwgen.importers.onnx.{each}", raising=False)
    (found,) = runner_of(made)([name], values)
    assert np.array_equal(found, wanted)
    with pytest.raises(MissingToolError, match=r"^.*LRN.* on the host must be run by onnxruntime"):
        runner_of(two_convolutions())


def test_places_are_an_order_of_axes_where_they_can() -> None:
    whole = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert in_axes(whole.transpose(0, 3, 1, 2), (3, 4, 5)) == (0, 3, 1, 2)
    assert in_axes(whole.reshape(-1), (3, 4, 5)) == (0, 1, 2, 3)
    assert in_axes(whole[:, ::-1], (3, 4, 5)) is None


def test_sides_that_are_not_known_are_refused() -> None:
    from hwgen.errors import FormatError

    with pytest.raises(FormatError, match=r"^side 2 of input x must be a number"):
        onnx_file(Model((1, 3, "h", 6)).build("x"), "net.onnx")


def test_images_are_given_as_the_network_reads_them() -> None:
    file = OnnxCut.of(two_convolutions(), "net.onnx")
    inputs = file.tensors(file.units.inputs)
    images = np.random.default_rng(0).normal(size=(3, 6, 6, 3)).astype(np.float32)
    feeds = feeds_of(inputs, images, "images.npz")
    assert len(feeds) == 3
    assert np.array_equal(feeds[1]["x"][0], images[1].transpose(2, 0, 1))


@pytest.mark.parametrize("sides", [(1, 4), (1, 4, 5), (1, 4, 5, 6)])
def test_images_of_any_rank_are_given(sides: tuple[int, ...]) -> None:
    grid: dict[str, None] = {"scale": None, "zero_point": None}
    tensor = PlanTensor(name="x", sides=sides, type="float32", layout="planes", **grid)
    rows, columns = (*sides[2:], 1, 1)[:2]
    for shape in (sides[1:], (rows, columns, 4)):
        (feed,) = feeds_of([tensor], np.ones((1, *shape), np.float32), "i.npz")
        assert feed["x"].shape == sides


def test_a_border_of_one_number_without_sides_is_given() -> None:
    from onnx import helper

    ends = [helper.make_tensor_value_info(f"{name}/real", 1, []) for name in "ab"]
    node = helper.make_node("Identity", ["a/real"], ["b/real"])
    graph = helper.make_graph([node], "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    host = OnnxHost(model, real="ab", numbers=dict.fromkeys("ab", (0.5, 1, "uint8")))
    found = host.run({"a": np.array(3, np.uint8)})
    assert found["b"].dtype == np.uint8
    assert found["b"] == 3
