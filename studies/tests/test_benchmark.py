"""The benchmark predicts as `hwgen run` does, and says what it measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.benchmark import main as measure

from hwgen.cli import main
from tests.commands.made_up import simulation

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"


def command(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def benchmark(*arguments: object) -> None:
    measure([str(argument) for argument in arguments])


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.dear
@pytest.mark.promise(
    "the benchmark predicts what hwgen run predicts, from cached programs and maps"
)
def test_it_predicts_dense_and_sparse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(simulation(), "prepare", lambda *_, builds, **__: built.append(builds))
    out, work = tmp_path / "report.json", ("--work", tmp_path / "work")
    benchmark(NETWORK, ARCH, "--jobs", 1, "--json", out, *work)
    report = read(out)
    assert [each["sparsity"] for each in report["networks"]] == ["none", "all"]
    for each in report["networks"]:
        given = ["--engine", "model", "--sparsity", each["sparsity"], "--json", out, *work]
        assert command("run", NETWORK, ARCH, *given) == 0
        assert each["cycles"] == read(out)["cycles_model"]
    # Both processes of predictions and that of emission start Python, which takes a while.
    assert report["predict_seconds"] > 0.1 and report["emit_seconds"] > 0.1
    assert len(built) == 1 and report["build_seconds"] is not None
    said = capfd.readouterr().out
    assert f"2 predictions in 1 processes: {report['predict_seconds']:.1f} s, limit 180 s" in said


@pytest.mark.dear
def test_the_build_may_be_left_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, work = tmp_path / "report.json", ("--work", tmp_path / "work")
    given = [ARCH, "--jobs", 1, "--no-build", "--json", out, *work]
    benchmark(NETWORK, *given)
    assert read(out)["build_seconds"] is None
    assert "simulator" not in capfd.readouterr().out
