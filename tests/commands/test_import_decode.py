"""`hwgen import --decode`: a decoder of whole sequences, as torch exports it, becomes a step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from golden.states import calls
from hwgen.cli import BAD_INPUT, main
from hwgen.commands.text import WriteText
from hwgen.errors import ArgumentError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from tests.corpus.decoders import Kind, written

CASES = {
    "places": (Kind(blocks=2), "dynamo"),
    "one_head": (Kind(width=16, heads=1, keys=1, hidden=1, tokens=2, ids=2), "script"),
    "groups": (Kind(keys=2, width=48, heads=6, llama=True), "script"),
    "turned": (Kind(keys=1, llama=True, turned=True, blocks=2), "script"),
    "turned_dynamo": (Kind(keys=2, turned=True), "dynamo"),
}
PLACES = np.array([[0], [1]])


def drawn_ids(kind: Kind, lines: int, folder: Path) -> Path:
    """Write sequences of ids."""
    ids = np.random.default_rng(0).integers(0, kind.ids, (lines, kind.tokens))
    path = folder / "ids.txt"
    path.write_text("\n".join(" ".join(map(str, line)) for line in ids))
    return path


def imported(kind: Kind, exporter: str, folder: Path, *options: str) -> QuantizedNetwork:
    """Return the network of a decoder."""
    file, out = written(kind, folder / "whole.onnx", exporter), folder / "network.npz"
    ids = drawn_ids(kind, 8, folder)
    argv = ["import", str(file), "--calibrate", str(ids), "--out", str(out), *options]
    assert main(argv) == 0
    return load_network(out)


@pytest.mark.dear("turned_dynamo", "groups")
@pytest.mark.promise(
    "hwgen import --decode: the step of a decoder that is a whole sequence in its file, with"
    " learned places or turned queries and keys, answers at each position as the whole does"
)
@pytest.mark.parametrize("case", CASES)
def test_a_step_is_the_whole(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, exporter = CASES[case]
    step = imported(kind, exporter, tmp_path, "--decode")
    said = " ".join(capsys.readouterr().out.split())
    elements = 8 * kind.tokens * kind.ids
    assert f"equal in all {elements:,} elements of 8 images, by onnxruntime" in said
    whole = imported(kind, exporter, tmp_path, "--no-check")
    assert step.graph.positions == kind.tokens and step.states and not whole.states
    ids = np.random.default_rng(1).integers(0, kind.ids, (1, kind.tokens))
    assert whole.token_rows is not None and step.token_rows is not None
    of_all = infer(whole, whole.token_rows.images(ids, whole.graph.input, "ids"))
    images = step.token_rows.images(
        ids.T, step.graph.input, "ids", positions=np.arange(kind.tokens)[:, np.newaxis]
    )
    found = calls(step, images)[step.answer]
    assert (found.reshape(-1) == of_all[whole.answer].reshape(-1)).all()


def test_a_step_writes_a_text(tmp_path: Path) -> None:
    kind = Kind(width=16, heads=1, keys=1, ids=4)
    imported(kind, "script", tmp_path, "--decode", "--no-check", "--classes", "a,b,space,newline")
    given = WriteText(str(tmp_path / "network.npz"), "dbpim/small_rows", prompt="ab", tokens=20)
    report = given.run()
    assert len(report.text) == 20 and set(report.text) <= set("ab \n")


def test_a_step_is_compared_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, file = CASES["one_head"][0], tmp_path / "quantized.onnx"
    step = imported(kind, "script", tmp_path, "--decode", "--no-check", "--qdq", str(file))
    rows, images = step.token_rows, tmp_path / "images.npz"
    assert rows is not None and step.graph.input.channels > kind.width
    given = rows.images(np.array([[1], [0]]), step.graph.input, "ids", positions=PLACES)
    np.savez(images, images=given)
    network = str(tmp_path / "network.npz")
    assert main(["compare", network, "--against", str(file), "--data", str(images)]) == 0
    assert "every element is equal" in capsys.readouterr().out
    with pytest.raises(ArgumentError, match="whose tokens have names: import it with --classes"):
        WriteText(network, "dbpim/small_rows").run()


@pytest.mark.promise("a decoder without a causal mask is refused as a step")
def test_without_a_mask_there_is_no_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = replace(CASES["one_head"][0], masked=False)
    file = written(kind, tmp_path / "whole.onnx", "script")
    out = tmp_path / "network.npz"
    argv = ["import", str(file), "--calibrate", str(drawn_ids(kind, 8, tmp_path)), "--decode"]
    assert main([*argv, "--out", str(out)]) == BAD_INPUT
    assert (
        "must be behind a causal mask, where a decoder reads other tokens, got softmax"
        in " ".join(capsys.readouterr().err.split())
    )
    assert not out.exists()
    assert main([*argv, "--positions", "4", "--out", str(out)]) == BAD_INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert "--decode must be left out beside --positions and --state" in said
