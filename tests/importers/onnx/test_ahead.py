"""What is picked or joined as real numbers and quantized then is quantized first: bit for bit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.errors import RefusedNetworkError
from hwgen.importers.onnx.qdq.ahead import with_pairs_ahead
from tests.quantized_onnx import Model, agreeing, imported, kinds

Write = Callable[[Model, str], str]


def conv(model: Model, image: str, outputs: int = 4) -> str:
    return model.conv(image, outputs, 3, 1, 1)


def pooled(model: Model, tensor: str) -> str:
    return model.node("MaxPool", tensor, kernel_shape=[2, 2], strides=[2, 2])


def twice(model: Model, image: str) -> str:
    """A function, and two maxima behind it."""
    bent = model.node("HardSwish", model.quantized(conv(model, image), 0.05, 120))
    last = model.node("MaxPool", pooled(model, bent), kernel_shape=[2, 2])
    return model.quantized(last, 0.01, 30)


def joined(model: Model, image: str) -> str:
    """Sums, a map with other numbers, and a map with the same ones."""
    other = model.quantized(conv(model, image), 0.03, 90)
    maps = (conv(model, image), other, model.quantized(conv(model, image), 0.05, 110))
    return model.quantized(model.node("Concat", *maps, axis=1), 0.05, 110)


def mixed(model: Model, image: str) -> str:
    """Maxima of sums beside a map that is quantized."""
    small = model.quantized(pooled(model, image), 0.02, 3)
    both = model.node("Concat", pooled(model, conv(model, image)), small, axis=1)
    moved = model.node("Transpose", both, perm=[0, 1, 3, 2])
    return model.quantized(moved, 0.06, 100)


CASES: dict[str, tuple[Write, list[str], int]] = {
    "maxima of a function": (twice, ["conv", "table", "max_pool", "max_pool"], 2),
    "joined sums": (joined, ["conv", "conv", "conv", "rescale", "concatenate"], 3),
    "maxima beside a map": (
        mixed,
        ["conv", "max_pool", "rescale", "max_pool", "rescale", "concatenate"],
        2,
    ),
}
"""What is written, the layers that it becomes, and how many of them the runtime shows."""


@pytest.mark.promise(
    "a map that is picked or joined as real numbers and quantized then is imported, equal to"
    " onnxruntime"
)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_onnxruntime(case: str, tmp_path: Path) -> None:
    write, expected, shown = CASES[case]
    model = Model()
    network = agreeing(model.build(write(model, model.image())), tmp_path, shown=shown)
    assert sorted(kinds(network)) == sorted(expected)


def test_the_answers_of_the_file_stay() -> None:
    """By onnx's evaluator on both sides, to the bit."""
    for write, _, _ in CASES.values():
        model = Model(opset=19)
        built = model.build(write(model, model.image()))
        moved = with_pairs_ahead(built)
        assert moved is not built
        images = model.rng.uniform(-1, 9, (4, 1, 3, 6, 6)).astype(np.float32)
        for image in images:
            one, other = (
                onnx.reference.ReferenceEvaluator(each).run(None, {"x": image})[0]
                for each in (built, moved)
            )
            assert np.array_equal(one, other)
            assert len(np.unique(one)) > 3


def test_a_model_without_such_maps_is_returned_as_it_is() -> None:
    model = Model()
    image = model.image()
    maps = [model.quantized(conv(model, image)) for _ in range(2)]
    both = model.quantized(model.node("Concat", *maps, axis=1))
    built = model.build(model.quantized(pooled(model, both)))
    assert with_pairs_ahead(built) is built


def test_what_others_read_as_real_numbers_stays_real(tmp_path: Path) -> None:
    model = Model()
    real = pooled(model, conv(model, model.image()))
    mean = model.quantized(model.node("GlobalAveragePool", real))
    with pytest.raises(RefusedNetworkError, match="must be quantized"):
        imported(model.build(model.quantized(real), mean), tmp_path)
