"""The table of sixteen texts is made as its page says."""

import importlib.util
from pathlib import Path

import pytest

from hwgen.cli import main
from tests.corpus.decoders import Kind, written

EXAMPLE = Path(__file__).parents[2] / "docs/examples/texts/sixteen.py"


def test_a_row_for_each_temperature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = Kind(width=16, heads=1, keys=1, ids=2)
    file, ids, out = (tmp_path / name for name in ("whole.onnx", "ids.txt", "network.npz"))
    ids.write_text("0 1 1 0 1 0 0 1 0 1 1 0\n" * 4)
    argv = [
        "import",
        str(written(kind, file, "script")),
        "--calibrate",
        str(ids),
        "--out",
        str(out),
    ]
    options = ["--decode", "--no-check", "--kernels", "half_up", "--classes", "a,b"]
    assert main([*argv, *options]) == 0
    spec = importlib.util.spec_from_file_location("sixteen", EXAMPLE)
    assert spec is not None and spec.loader is not None
    sixteen = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sixteen)
    sixteen.BEGIN, sixteen.WRITTEN, sixteen.TEMPERATURES = ("ab", "ba"), 7, (0.0, 1.0)
    (novel := tmp_path / "novel.txt").write_text("abbabaab" * 9)
    capsys.readouterr()
    sixteen.main(str(out), "dbpim/small_rows", 4, [novel])
    first, *_, cold, warm = capsys.readouterr().out.splitlines()
    several, one = (int(word.replace(",", "")) for word in (first.split()[5], first.split()[-1]))
    assert one < several and cold.startswith("| 0.0 |") and warm.startswith("| 1.0 |")
    calls, letters, cycles = (float(each.replace(",", "")) for each in cold.split("|")[2:5])
    assert 2 < calls < 14 and letters == pytest.approx(14 / calls, abs=0.01)
    assert calls * one / 14 <= cycles + 1 and cycles <= calls * several / 14 + 1
