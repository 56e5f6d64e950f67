"""Sums and products of two maps for all pairs of elements, beside onnxruntime's own operators."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from golden.ops.maps import weighted_sum
from golden.ops.requantize import requantize
from hwgen.cli import main
from hwgen.commands.described import describe_import
from hwgen.importers.integer import QuantizedMap, lower, quantized_map
from hwgen.importers.integer.arithmetic import nearest_addition
from hwgen.importers.integer.pairs import different_products, runtime_product, runtime_sum
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.network import Add
from tests.quantized_onnx import Model, saved

FILES = Path(__file__).parents[1] / "files"
PAIRS = 1 << 16
DRAWN = range(8)
NOT_TO_BE_MET = 4
"""A seed whose pairs no factors of 22 bits give all, as for one of twenty."""
WHOLE_RATIOS = (0.05, 0.04, 0.06)
"""Scales of which a third of the sums lie on a half."""


def drawn_maps(seed: int) -> list[QuantizedMap]:
    """Return two maps and their result: signed for odd seeds."""
    chance = np.random.default_rng(seed)
    signed = bool(seed % 2)
    zeros = chance.integers(0, 256, 3) - 128 * signed
    scales = chance.uniform(0.005, 0.1, 3).astype(np.float32)
    return [
        quantized_map((1, 1, 1), signed=signed, scale=float(scale), zero_point=int(zero))
        for scale, zero in zip(scales, zeros, strict=True)
    ]


def maps_of(scales: tuple[float, ...], zeros: tuple[int, ...]) -> list[QuantizedMap]:
    return [
        quantized_map((1, 1, 1), signed=False, scale=float(np.float32(scale)), zero_point=zero)
        for scale, zero in zip(scales, zeros, strict=True)
    ]


def by_onnxruntime(operator: str, maps: list[QuantizedMap]) -> NDArray[np.int64]:
    """Return all pairs of elements as a session of one operator gives them: (all a, all b)."""
    kind = np.dtype(np.int8 if maps[0].signed else np.uint8)
    code = helper.np_dtype_to_tensor_dtype(kind)
    stored, names = [], []
    for place, values in enumerate(maps):
        for what, number in (("scale", values.scale), ("zero", values.zero_point)):
            names.append(f"{what}_{place}")
            array = np.asarray(number, np.float32 if what == "scale" else kind)
            stored.append(numpy_helper.from_array(array, names[-1]))
    inputs = ["a", *names[:2], "b", *names[2:]]
    node = helper.make_node(operator, inputs, ["y"], domain="com.microsoft")
    tensors = [helper.make_tensor_value_info(name, code, [PAIRS]) for name in "aby"]
    graph = helper.make_graph([node], "pairs", tensors[:2], tensors[2:], stored)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    a, b = np.divmod(np.arange(PAIRS), 256)
    given = {name: (each - maps[0].offset).astype(kind) for name, each in (("a", a), ("b", b))}
    (found,) = session.run(None, given)
    return found.astype(np.int64).reshape(256, 256)


def unlike(maps: list[QuantizedMap]) -> tuple[int, int]:
    """Return how many pairs golden adds unlike onnxruntime, and how many the import says."""
    one, other, output = (each.unsigned for each in maps)
    scaling = nearest_addition(maps[:2], maps[2])
    a, b = np.divmod(np.arange(PAIRS), 256)
    first, second = scaling.requantization.multipliers
    sums = weighted_sum(
        a, b, zero_points=(one.zero_point, other.zero_point), multipliers=(first, second)
    )
    given = requantize(
        sums,
        multiplier=1,
        shift=scaling.requantization.shift,
        zero_point=output.zero_point,
        low=0,
        high=255,
        rounding=scaling.rounding,
    )
    wanted = by_onnxruntime("QLinearAdd", maps).reshape(-1) + maps[2].offset
    return int((given != wanted).sum()), scaling.different


@pytest.mark.promise(
    "sums and products of two maps are onnxruntime's for all pairs of elements, or a line of"
    " the import counts those that differ"
)
@pytest.mark.parametrize("seed", DRAWN)
def test_all_pairs_are_those_of_onnxruntime(seed: int) -> None:
    maps = drawn_maps(seed)
    assert (runtime_sum(maps[:2], maps[2]) == by_onnxruntime("QLinearAdd", maps)).all()
    assert (runtime_product(maps[:2], maps[2]) == by_onnxruntime("QLinearMul", maps)).all()


@pytest.mark.parametrize("seed", DRAWN)
def test_golden_adds_all_pairs_as_onnxruntime(seed: int) -> None:
    """Factors that are merely nearest miss pairs for one of five drawn scales."""
    missed = int(seed == NOT_TO_BE_MET)
    assert unlike(drawn_maps(seed)) == (missed, missed)


def test_pairs_that_differ_are_counted() -> None:
    """Of scales whose ratios are small integers no factors scatter the halves as float32 does."""
    different, said = unlike(maps_of(WHOLE_RATIOS, (128, 128, 128)))
    assert different == said > 100


def test_no_factors_give_opposite_pairs_what_float32_gives_them() -> None:
    """A chip rounds a sum and its opposite to opposite steps, or halves up, both.

    A sum of a class token network: (18, -19) gives 8 there and (-18, 19) gives -9.
    """
    maps = maps_of(
        (0.01718852110207081, 0.008269152604043484, 0.017915230244398117), (117, 124, 106)
    )
    steps = by_onnxruntime("QLinearAdd", maps) - maps[2].zero_point
    a, b = (np.arange(-reach, reach + 1) for reach in (117, 124))
    centred = steps[np.ix_(a + 117, b + 124)]
    inside = (np.abs(centred) < 106) & (np.abs(centred[::-1, ::-1]) < 106)
    down = inside & (centred + centred[::-1, ::-1] < 0)
    assert centred[18 + 117, -19 + 124] == 8 and centred[-18 + 117, 19 + 124] == -9
    assert down.sum() == 2 * 3
    assert unlike(maps) == (3, 3)


def test_products_that_differ_are_counted() -> None:
    maps = maps_of((0.04, 1 / 256, 0.03), (128, 0, 5))
    one, other, output = (np.float32(each.scale) for each in maps)
    factor = float(one * other / output)
    wanted = by_onnxruntime("QLinearMul", maps)
    a, b = np.divmod(np.arange(PAIRS), 256)
    steps = np.rint(((a - 128) * b).astype(np.float32) * np.float32(factor)).astype(np.int64) + 5
    different = int((steps.clip(0, 255) != wanted.reshape(-1)).sum())
    assert different_products(factor, maps[:2], maps[2]) == different > 900
    even = maps_of((0.04, 1 / 256, 0.03), (128, 0, 6))
    assert different_products(factor, even[:2], even[2]) == 0


@pytest.mark.parametrize("name", ["resnet-script-calibrated", "eca_resnet-QDQ", "signal-QOperator"])
def test_every_addition_of_the_files_has_no_pair_that_differs(name: str) -> None:
    graph = read_integer_graph(FILES / f"{name}.onnx")
    lowered = lower(graph, kernels="onnxruntime")
    assert any(isinstance(layer, Add) for layer in lowered.network.layers)
    said = [each.what for each in lowered.differences if each.operator == "Add"]
    assert not said
    for layer in lowered.network.layers:
        if isinstance(layer, Add):
            (node,) = (each for each in graph.nodes if each.output == layer.source)
            assert unlike([graph.maps[each] for each in (*node.inputs, node.output)])[0] == 0


def test_an_addition_that_differs_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    image = model.quantized("x", 0.04, 128)
    other = model.quantized(model.conv(image, 3, 3, 1, 1), 0.05, 128)
    made = model.quantized(model.node("Add", other, image), 0.06, 128)
    path = saved(model.build(made), tmp_path)
    assert main(["import", str(path), "--out", str(tmp_path / "net.npz")]) == 0
    (found,) = describe_import(path).differences
    assert (found.operator, found.nodes, found.steps) == ("Add", 1, 1)
    text = " ".join(capsys.readouterr().out.split())
    assert f"by 1 step from the runtime, and the answer by more: Add (1 node): {found.what}" in text
    assert "of all 65,536 pairs of elements" in found.what


@pytest.mark.promise(
    "pairs that differ from the runtime's are counted over the values that a constant has"
)
@pytest.mark.parametrize("operator", ["Add", "Mul"])
def test_a_constant_of_two_values_counts_by_these(operator: str, tmp_path: Path) -> None:
    """All pairs of two maps would say more of them, and another share."""
    model = Model((1, 8, 4, 4))
    image = model.quantized("x", WHOLE_RATIOS[0], 128)
    stored = model.constant(model.rng.choice([0, 255], (1, 8, 4, 4)), np.uint8)
    grid = [model.constant(WHOLE_RATIOS[1]), model.constant(255, np.uint8)]
    mask = model.node("DequantizeLinear", stored, *grid)
    both = model.node(operator, image, mask)
    path = saved(model.build(model.quantized(both, WHOLE_RATIOS[2], 200)), tmp_path)
    lowered = lower(read_integer_graph(path), kernels="onnxruntime")
    (layer,) = (each for each in lowered.network.layers if each.op in ("add", "multiply"))
    zeros = (128, 255, 200)
    every = maps_of(WHOLE_RATIOS, zeros)
    present = [None, np.array([0, 255])]
    if operator == "Add":
        different = nearest_addition(every[:2], every[2], present).different
    else:
        given = layer.requantization[0]
        factor = given.multipliers[0] * 2.0**-given.shift
        different = different_products(factor, every[:2], every[2], present)
    told = [each.what for each in lowered.differences]
    said = f"in {different:,} of all 512 pairs of elements"
    assert [said in each for each in told] == [True] * (different > 0)
