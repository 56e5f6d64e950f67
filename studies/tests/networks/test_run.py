"""`hwgen results`: rows from runs, cached rows, failures, training; no chip is simulated."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hwgen_studies.networks.run
import pytest
import yaml
from hwgen_studies.networks.case import run_case, training_of
from hwgen_studies.networks.command import Result
from hwgen_studies.networks.report import ResultRow, row_of
from hwgen_studies.networks.run import in_processes, read_row

from hwgen.cli import main
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps
from hwgen.commands.images import choose_images
from hwgen.commands.subject import load_subject, program_of
from hwgen.dbpim.model import CycleModel
from hwgen.errors import FormatError
from hwgen.files.leash import leashed
from hwgen.network.file import load_network
from hwgen.report.files import write_report
from tests.commands.made_up import Simulated, made_up_run, simulation

ROOT = Path(__file__).parents[3]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"
IMAGES = 2

TRAINING: dict[str, Any] = {
    "format": "hwgen.training",
    "version": 2,
    "network_digest": load_network(NETWORK).digest,
    "accuracy": {"float": 0.99, "pruned": 0.9, "integer": 0.95},
    "test_images": 359,
    "start_sha256": None,
    "recipe": {
        "name": "digits",
        "start": None,
        "pruning": {"share": 0.5},
        "epoch_batches": None,
    },
    "history": [{"phase": "float"}, {"phase": "quantized"}],
}

Change = Callable[[Simulated], None]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(work=tmp_path_factory.mktemp("work"), console=None)


def perfect(context: Context) -> list[Simulated]:
    """Return what a chip without fault shows of each image."""
    subject = load_subject(NETWORK, ARCH, "all")
    maps = expected_maps(context, subject, choose_images(subject.network, None, IMAGES))
    model = CycleModel(program_of(context, subject), subject.arch)
    return [made_up_run(maps, model, image) for image in range(IMAGES)]


def nothing(_: Simulated) -> None:
    pass


def a_byte(run: Simulated) -> None:
    run.maps[0]["conv3"][1, 2, 3] ^= 1


def a_cycle(run: Simulated) -> None:
    run.cycles += 1


def a_map_that_is_missing(run: Simulated) -> None:
    """No addition takes it in, so the chip must have stored it."""
    del run.maps[0]["conv2"]


@pytest.mark.promise(
    "the table of complete networks says equal only where every count was measured and is right"
)
@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        (nothing, "equal", None),
        (a_map_that_is_missing, "values differ", "image 1 (mode 1.0x), layer conv2"),
        (a_byte, "values differ", "image 1 (mode 1.0x), layer conv3, y 1, x 2, channel 3"),
        (a_cycle, "cycles or events differ", "run 1, counter cycles"),
    ],
)
def test_a_run_becomes_a_row(
    change: Change,
    outcome: str,
    said: str | None,
    context: Context,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = perfect(context)
    change(runs[1])
    monkeypatch.setattr(simulation(), "prepare", lambda *_, **__: None)
    monkeypatch.setattr(simulation(), "simulate", lambda *_, **__: runs)
    record = tmp_path / "runs/row.json"
    row = run_case(
        Result(
            NETWORK, ARCH, record=record, sparsity="all", batch=1, images=IMAGES, context=context
        )
    )
    assert read_row(record) == row
    found = row.measured
    assert row.outcome == outcome and found is not None
    assert (found.difference is None) == (said is None)
    assert (said or "") in (found.difference or "")
    layers = len(load_network(NETWORK).layers)
    assert (found.maps, found.maps_compared, found.maps_fused) == (layers, layers, 0)
    assert found.cycles_rtl == sum(run.cycles for run in runs)
    assert (found.runs, found.steps) == (IMAGES, len(runs[0].steps))
    assert set(found.seconds) == {"compile", "build", "golden", "model", "rtl"}
    assert found.bit_columns is not None and 1 < found.bit_columns < 7
    whole = json.loads((tmp_path / "runs/reports/row.json").read_text(encoding="utf-8"))
    assert whole["equal"] is (outcome == "equal")
    assert str(tmp_path) not in record.read_text(encoding="utf-8")


def results(folder: Path, *arguments: object) -> int:
    """Run the command with its records in a folder; return its exit code."""
    given = ["results", "--runs", folder / "runs", "--work", folder / "work", *arguments]
    return main([str(argument) for argument in given])


def rows_of(folder: Path) -> list[ResultRow]:
    return [read_row(file) for file in sorted((folder / "runs").glob("*.json"))]


@pytest.mark.promise("runs of complete networks resume; other inputs or other code are run again")
def test_the_command_resumes_and_a_failure_is_a_row(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network, few = tmp_path / "network.npz", tmp_path / "few.yaml"
    shutil.copy(NETWORK, network)
    content = yaml.safe_load(ARCH.read_text(encoding="utf-8")) | {"name": "few"}
    few.write_text(yaml.safe_dump(content | {"buffer_bytes": 128}), encoding="utf-8")
    given = [network, "--sparsity", "all", "--engine", "model"]
    assert results(tmp_path, *given, ARCH) == 0
    (first,) = rows_of(tmp_path)
    assert first.outcome == "not simulated"
    assert first.case.training.state == "not recorded"
    # The next command reruns nothing, takes over the training, and has one more chip.
    (tmp_path / "training.json").write_text(json.dumps(TRAINING), encoding="utf-8")
    page = tmp_path / "page.md"
    assert results(tmp_path, *given, ARCH) == 0
    assert results(tmp_path, *given, few, "--out", page) == 1
    failed, again = rows_of(tmp_path)
    assert again.measured == first.measured
    state = "50% of blocks pruned: float 1, pruned 0, quantized 1 epochs"
    assert (again.case.training.state, again.case.training.short) == (state, True)
    assert failed.outcome == "failed"
    sentence = "exit code 2: layer average_pool: a row of its output and the rows that it reads"
    assert sentence in (failed.failure or "")
    assert sentence in page.read_text(encoding="utf-8")
    assert str(tmp_path) not in page.read_text(encoding="utf-8")
    # Without networks it only tabulates.
    assert results(tmp_path, "--json", tmp_path / "all.json") == 1
    assert len(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]) == 2
    capfd.readouterr()
    assert results(tmp_path, network) == 2
    said = capfd.readouterr().err
    assert said == "hwgen: ARCH must be behind networks, got none\n"


def test_other_inputs_or_code_are_run_again(tmp_path: Path) -> None:
    assert results(tmp_path, NETWORK, ARCH, "--engine", "model", "--sparsity", "all") == 0
    (file,) = (tmp_path / "runs").glob("*.json")
    row = read_row(file)
    for change in ({"code": "0" * 64}, {"images_digest": "0" * 64}):
        write_report(row_of(replace(row.case, **change), row.measured), file)
        given = [ARCH, "--engine", "model", "--sparsity", "all"]
        assert results(tmp_path, NETWORK, *given) == 0
        assert read_row(file).case == row.case


@pytest.mark.promise(
    "that table shows every run, a failed one too, and how each network was really trained"
)
def test_a_training_of_another_network_is_refused(tmp_path: Path) -> None:
    shutil.copy(NETWORK, tmp_path / "network.npz")
    about = TRAINING | {"network_digest": "0" * 64}
    (tmp_path / "training.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(FormatError, match=r"network_digest must be that of network\.npz"):
        training_of(load_subject(tmp_path / "network.npz", ARCH))


def test_an_altered_record_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(FormatError, match=r"\(.*row\.json\)") as error:
        read_row(path)
    assert "\n" not in str(error.value)


def test_an_interrupt_ends_all_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[subprocess.Popen[str]] = []

    @contextmanager
    def asleep(command: Sequence[str], **streams: Any) -> Iterator[subprocess.Popen[str]]:
        code = f"import time; time.sleep({command[-1]})"
        with leashed([sys.executable, "-c", code], **streams) as process:
            started.append(process)
            yield process

    monkeypatch.setattr(hwgen_studies.networks.run, "leashed", asleep)
    cases: Any = [
        SimpleNamespace(arguments=[seconds], record=tmp_path / f"{index}.json")
        for index, seconds in enumerate(("0", "600", "600"))
    ]
    running = in_processes(cases, jobs=2)
    first, failure = next(running)
    assert (first, failure) == (cases[0], None)
    running.close()
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)
