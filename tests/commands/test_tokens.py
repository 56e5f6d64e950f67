"""Token ids: the host looks rows of a table up, which are the image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from golden.network import infer
from hwgen.cli import BAD_INPUT, main
from hwgen.commands.run import Simulate
from hwgen.errors import ArgumentError, DataError, FormatError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from hwgen.network.tokens import TokenRows, read_ids

RNG = np.random.default_rng(7)
TOKENS, WIDTH, IDS = 8, 16, 27


def of_ids(folder: Path, kind: int = TensorProto.INT64) -> Path:
    """Write a float model of ids: a table, a matrix, a residual and a matrix."""
    stored = {
        "table": RNG.normal(size=(IDS, WIDTH)),
        "first": RNG.normal(size=(WIDTH, WIDTH)) / 4,
        "last": RNG.normal(size=(WIDTH, 4)) / 4,
    }
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"], "lookup"),
        helper.make_node("MatMul", ["rows", "first"], ["product"], "product"),
        helper.make_node("Relu", ["product"], ["bent"], "bent"),
        helper.make_node("Add", ["bent", "rows"], ["sum"], "sum"),
        helper.make_node("MatMul", ["sum", "last"], ["answer"], "last"),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("ids", kind, ["batch", TOKENS])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(each.astype(np.float32), name) for name, each in stored.items()],
    )
    path = folder / "ids.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def text_of(ids: np.ndarray, folder: Path) -> Path:
    path = folder / "ids.txt"
    path.write_text("\n".join(" ".join(map(str, line)) for line in ids) + "\n\n")
    return path


def imported(folder: Path) -> tuple[QuantizedNetwork, Path, np.ndarray]:
    file, ids = of_ids(folder), RNG.integers(0, IDS, (24, TOKENS))
    out = folder / "network.npz"
    argv = ["import", str(file), "--calibrate", str(text_of(ids, folder)), "--out", str(out)]
    assert main([*argv, "--qdq", str(folder / "quantized.onnx")]) == 0
    return load_network(out), file, ids


@pytest.mark.promise("token ids: the table of rows is the host's, named, in the network file")
def test_rows_of_ids_give_what_the_file_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, file, ids = imported(tmp_path)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"the image: {IDS} rows of table table, looked up by ids" in printed
    rows = network.token_rows
    assert rows is not None and rows.name == "table" and rows.rows.shape == (IDS, WIDTH)
    given = rows.images(ids, network.graph.input, "ids")
    values = network.map_of(network.answer).quantization[0]
    found = infer(network, given)[network.answer].reshape(len(ids), TOKENS, 4)
    real = (found.astype(float) - values.zero_point) * values.scale
    (wanted,) = onnxruntime.InferenceSession(file).run(None, {"ids": ids})
    assert np.square(wanted).sum() > 1000 * np.square(wanted - real).sum()
    again = onnx.load(tmp_path / "quantized.onnx")
    assert any(each.name == "table" for each in again.graph.initializer)


@pytest.mark.promise("hwgen run --tokens FILE looks rows up and runs them")
def test_a_text_of_ids_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path)
    network = str(tmp_path / "network.npz")
    argv = ["run", network, "dbpim/small", "--engine", "golden", "--images", "2", "--tokens"]
    assert main([*argv, str(tmp_path / "ids.txt")]) == 0
    capsys.readouterr()
    ids = RNG.integers(0, IDS, (2, TOKENS))
    ids[1, 3] = IDS
    assert main([*argv, str(text_of(ids, tmp_path))]) == BAD_INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert f"token 4 of line 2 must be from 0 to {IDS - 1}, the rows of table table" in said
    assert f"got {IDS}" in said


def test_ids_are_calls_of_a_network_with_states(tmp_path: Path) -> None:
    text = text_of(np.array([[1, 5, 9]]), tmp_path)
    given = Simulate("austen_chars", "dbpim/paper_rows", tokens=text)
    subject = given.subject()
    images = given.given_images(subject)
    rows, image = subject.network.token_rows, subject.network.graph.input
    assert rows is not None and isinstance(images, np.ndarray) and len(images) == 3
    for place, code in enumerate((1, 5, 9)):
        one = rows.images(np.array([[code]]), image, "ids", positions=place)
        assert np.array_equal(images[place], one[0])
    with pytest.raises(ArgumentError, match="one line for a network with states"):
        replace(given, tokens=text_of(np.array([[1], [2]]), tmp_path)).given_images(subject)


def test_a_network_without_a_table_takes_no_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = str(text_of(np.zeros((1, 64), int), tmp_path))
    argv = ["run", "digits_small_cnn", "dbpim/small", "--engine", "golden", "--tokens", text]
    assert main(argv) == BAD_INPUT
    assert "left out for a network without a table of rows" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 2 3\n1 2", "line 2 must have 3 ids, got 2"),
        ("1, 2, x", "line 1 must have ids alone, got x"),
        ("\n\n", "the ids must be at least one line, got none"),
    ],
)
def test_wrong_texts_are_one_sentence(text: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=wanted):
        read_ids(path)


def test_rows_are_of_the_image(tmp_path: Path) -> None:
    network, _, _ = imported(tmp_path)
    assert network.token_rows is not None
    digest = network.digest
    wrong = QuantizedNetwork(**{**vars(network), "token_rows": None})
    assert wrong.digest != digest
    rows = TokenRows(name="table", rows=np.zeros((3, WIDTH + 1), np.uint8))
    with pytest.raises(FormatError, match=f"up to .* rows of {WIDTH}, got uint8"):
        save_network(QuantizedNetwork(**{**vars(network), "token_rows": rows}), tmp_path / "x.npz")
