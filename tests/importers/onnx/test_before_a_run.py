"""What --calibrate says before it runs a file, and what it never says while it does."""

import re
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper, parser

from hwgen.cli import main
from tests.quantized_onnx import saved

HEAD = '<ir_version: 8, opset_import: ["": 17]> g (float[1, 4] x) => (float[1, 4] y)'
ENDLESS = """
  body (int64 i, bool going, float[1, 4] a) => (bool more, float[1, 4] b) {
    more = Identity(going) b = Add(a, a)
  }
"""
COUNT = "yes = Constant<value = bool {1}>() none = Constant<value_int = 9223372036854775807>()"
DOUBLED = " ".join(f"t{n + 1} = Concat<axis = 0>(t{n}, t{n})" for n in range(40))
FILES = {
    "loop": (
        f"{{ {COUNT} z = Loop<body = {ENDLESS}>(none, yes, x) y = MatMul(z, w) }}",
        r"node \S+ \(Loop\) must be no loop, got Loop",
    ),
    "loop in a branch": (
        f"{{ {COUNT} z = If<then_branch = one () => (float[1, 4] p) {{"
        f" p = Loop<body = {ENDLESS}>(none, yes, x) }},"
        " else_branch = other () => (float[1, 4] q) {"
        " q = Identity(x) }>(yes) y = MatMul(z, w) }",
        r"node \S+ \(Loop\) must be no loop, got Loop",
    ),
    "doubled": (
        f"{{ t0 = Identity(x) {DOUBLED} m = MatMul(t40, w)"
        " y = ReduceMax<axes = [0], keepdims = 1>(m) }",
        "tensor t25 must be of at most 67,108,864 elements, got 33554432 x 4",
    ),
    "grown": (
        "{ n = Constant<value_ints = [1099511627776, 4]>() z = Expand(x, n) m = MatMul(z, w)"
        " y = ReduceMax<axes = [0], keepdims = 1>(m) }",
        "tensor [zm] must be of at most 67,108,864 elements, got 1099511627776 x 4",
    ),
}


def said(path: Path, images: np.ndarray, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the sentence with which an import under --calibrate refuses a file."""
    np.save(path.parent / "images.npy", images)
    argv = ["import", str(path), "--calibrate", str(path.parent / "images.npy")]
    argv += ["--kernels", "half_up"]  # Else a file is cut instead.
    assert main([*argv, "--out", str(path.parent / "out.npz")]) == 2
    return " ".join(capsys.readouterr().err.split())


def network(text: str, folder: Path, weight: float = 0.5) -> Path:
    model = parser.parse_model(HEAD + text)
    array = np.eye(4, dtype=np.float32)
    array[0, 1] = weight
    model.graph.initializer.append(numpy_helper.from_array(array, "w"))
    for place, node in enumerate(model.graph.node):
        node.name = f"node{place}"
    return saved(model, folder)


IMAGES = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)


@pytest.mark.promise("--calibrate looks at operators and sizes before it runs a file")
@pytest.mark.parametrize("kind", FILES)
def test_what_might_never_end_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, wanted = FILES[kind]
    found = said(network(text, tmp_path), IMAGES, capsys)
    assert re.search(wanted, found), found


@pytest.mark.promise("an import under --calibrate does not advise --calibrate")
@pytest.mark.parametrize(
    ("text", "weight", "wanted"),
    [
        ("{ a = MatMul(x, w) two = Constant<value_float = 2.0>() b = Pow(a, two)"
         " y = MatMul(b, w) }", 0.5, r"the operator must be one that docs/operators.md lists, got"),
        ("{ y = MatMul(x, w) }", np.inf, "tensor w must be of finite numbers"),
        ("{ y = MatMul(x, w) }", np.nan, "tensor w must be of finite numbers"),
        ("{ a = MatMul(x, w) b = Exp(a) c = Exp(b) d = Exp(c) y = MatMul(d, w) }", 90.0,
         "tensor d must be of finite numbers, with all images"),
    ],
)  # fmt: skip
def test_no_refusal_advises_what_is_done(
    text: str, weight: float, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(network(text, tmp_path, weight), IMAGES, capsys)
    assert wanted in found and "--calibrate" not in found, found
