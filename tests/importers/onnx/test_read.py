"""What is no ONNX file is refused in one sentence."""

from pathlib import Path

import pytest

from hwgen.errors import FormatError
from hwgen.importers.onnx import read_graph

FILES = {
    "nothing": (None, "a readable ONNX file, got no file"),
    "empty": (b"", "an ONNX model with nodes, got none"),
    "text": (b"a: network\n", "a readable ONNX file, got something else, or a part of one"),
}


@pytest.mark.promise(
    "a file that is damaged, foreign or unsound is one sentence that names the node"
)
@pytest.mark.parametrize("case", FILES)
def test_foreign_files_are_refused(case: str, tmp_path: Path) -> None:
    content, rest = FILES[case]
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_graph(path)
    assert str(caught.value) == f"the network must be {rest} ({path})"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="must be a readable ONNX file, got a folder"):
        read_graph(tmp_path)
