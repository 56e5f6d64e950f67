"""Plans on the command line and in Python: import --chip, info, run, model, compare."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import api
from hwgen.commands.context import Context
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.plans import cut_file_of
from hwgen.commands.run import Simulate
from hwgen.errors import ArgumentError, FormatError, RefusedNetworkError
from hwgen.plan.file import Plan, load_plan, save_plan
from hwgen.report.imports import ImportReport
from hwgen.report.plans import PlanReport, first_line
from tests.plan.test_cut import two_convolutions
from tests.quantized_onnx import Model, float_conv, saved

CHIP = "dbpim/small_rows"
HALF_UP = "dbpim/small"
LINE = (
    "100.0% of 12,384 multiply-accumulates on small_rows in 2 pieces; on the host: LRN"
    " (3 pieces, 748 bytes of an image cross)"
)


def cut(folder: Path, chip: str = CHIP, **chosen: Any) -> PlanReport:
    """Return the report of a file that is cut, in a folder."""
    path = saved(two_convolutions(), folder)
    report = ImportNetwork(path, folder / "net.npz", chip=chip, **chosen).run()
    assert isinstance(report, PlanReport)
    return report


def quiet(folder: Path) -> Context:
    """Return a context in a folder."""
    return Context(work=folder, console=None)


@pytest.mark.promise("the first line of a plan tells the share of the chip, and what the host does")
def test_a_file_is_cut_and_told(tmp_path: Path) -> None:
    report = cut(tmp_path)
    assert first_line(report) == LINE
    assert report.equal
    info = api.info(tmp_path / "net.npz")
    assert isinstance(info, PlanReport)
    assert first_line(info) == LINE


@pytest.mark.promise("without a chip a file is cut, too: what golden does not take, the host does")
def test_a_file_is_cut_without_a_chip(tmp_path: Path) -> None:
    path = saved(two_convolutions(), tmp_path)
    report = ImportNetwork(path, tmp_path / "net.npz").run()
    assert isinstance(report, PlanReport)
    assert (report.chip, report.share, report.equal) == ("golden", 1.0, True)
    with pytest.raises(RefusedNetworkError, match="LRN"):
        ImportNetwork(path, tmp_path / "net.npz", kernels="half_up").run()


def test_a_file_without_a_piece_of_golden_is_refused(tmp_path: Path) -> None:
    model = Model()
    path = saved(model.build(model.quantized(model.node("LRN", model.image(), size=3))), tmp_path)
    with pytest.raises(RefusedNetworkError, match="LRN"):
        ImportNetwork(path, tmp_path / "net.npz").run()
    assert not (tmp_path / "net.npz").exists()


def test_a_file_that_is_taken_stays_whole(tmp_path: Path) -> None:
    model = Model()
    path = saved(model.build(model.quantized(model.conv(model.image(), 8, 3, 3, 3))), tmp_path)
    report = ImportNetwork(path, tmp_path / "net.npz", chip=CHIP).run()
    assert isinstance(report, ImportReport)


def test_a_float_file_is_cut_with_its_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images=images)
    model = Model()
    between = model.node("LRN", float_conv(model, "x", 8, 3, 3, 3), size=3)
    path = saved(model.build(float_conv(model, between, 4, 8, 3, 3)), tmp_path)
    given: dict[str, Any] = {"calibrate": tmp_path / "images.npz", "qdq": tmp_path / "q.onnx"}
    strict = ImportNetwork(path, tmp_path / "net.npz", chip=CHIP, strict=True, **given).run()
    assert isinstance(strict, PlanReport)
    assert strict.equal
    assert strict.from_float
    report = api.compare(tmp_path / "net.npz", tmp_path / "q.onnx", images=3)
    assert isinstance(report, PlanReport)
    assert report.seen is not None
    assert report.seen.by_piece == {
        piece.name: 0 for piece in strict.pieces if piece.where == "chip"
    }


def test_a_chip_that_rounds_half_up_tells_its_steps(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"^--strict must be given with a chip whose `rounding`"):
        cut(tmp_path, HALF_UP, strict=True)
    report = cut(tmp_path, HALF_UP)
    assert not report.exact
    assert report.equal is None
    assert max(piece.steps for piece in report.pieces) <= 1


def test_a_share_below_the_least_is_refused(tmp_path: Path) -> None:
    path = saved(two_convolutions(), tmp_path)
    said = r"^the share of the multiply-accumulates on the chip must be at least 100.0%"
    with pytest.raises(FormatError, match=said):
        ImportNetwork(path, tmp_path / "net.npz", chip="mram/tiny", least=1.0).run()
    assert not (tmp_path / "net.npz").exists()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"strict": True}, "strict must be given with --chip"),
        ({"chip": CHIP, "strict": True, "differ": True}, "differ must be left out"),
        ({"chip": CHIP, "kernels": "half_up"}, "chip must be left out beside"),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, chosen: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        ImportNetwork(tmp_path / "a.onnx", tmp_path / "net.npz", **chosen)


def test_pieces_are_files_for_the_other_commands(tmp_path: Path) -> None:
    cut(tmp_path, pieces=tmp_path / "parts")
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert names == ["chip0.npz", "chip1.npz", "host0.onnx", "host1.onnx", "host2.onnx"]
    assert api.infer(tmp_path / "parts/chip0.npz", np.zeros((1, 6, 6, 3), np.uint8)).answers.size
    said = r"^the network must be one network here: hwgen import FILE --chip CHIP"
    with pytest.raises(FormatError, match=said):
        api.compile(tmp_path / "net.npz", CHIP, context=quiet(tmp_path))
    for _ in range(2):
        with pytest.raises(FormatError, match=rf"{said}.*, got a plan of pieces"):
            api.compile(tmp_path / "model.onnx", CHIP, context=quiet(tmp_path))


def test_a_plan_runs_and_is_predicted(tmp_path: Path) -> None:
    cut(tmp_path)
    net, context = tmp_path / "net.npz", quiet(tmp_path / "work")
    given: dict[str, Any] = {"images": 2, "context": context}
    run = api.simulate(net, CHIP, engine="golden", **given)
    assert isinstance(run, PlanReport)
    assert run.cycles is None
    (tmp_path / "ms.yaml").write_text("host0: 1\nhost1: 2\nhost2: 0.5\n")
    report = api.model(net, CHIP, host_ms=tmp_path / "ms.yaml", **given)
    assert isinstance(report, PlanReport)
    cycles = [piece.run.cycles_model for piece in report.pieces if piece.run is not None]
    assert report.cycles == sum(each or 0 for each in cycles) > 0
    assert report.total_ms is not None
    assert report.total_ms > 3.5
    assert api.model(net, CHIP, **given).total_ms is None  # type: ignore[union-attr]
    (tmp_path / "ms.yaml").write_text("host0: 1\n")
    with pytest.raises(FormatError, match=r"^the times of the host must be of host0, host1, host2"):
        api.model(net, CHIP, host_ms=tmp_path / "ms.yaml", context=context)
    with pytest.raises(ArgumentError, match="batch must be left out for a plan"):
        api.model(net, CHIP, batch=2, context=context)
    with pytest.raises(FormatError, match=r"^the chip of the plan must be small_rows"):
        api.model(net, HALF_UP, context=context)


def edited(path: Path, **changes: Any) -> Plan:
    """Change the plan in a file; return it."""
    plan = load_plan(path)
    plan = replace(plan, graph=replace(plan.graph, **changes))
    save_plan(plan, path)
    return plan


def test_another_runtime_is_told_and_its_first_other_border_ends_the_run(tmp_path: Path) -> None:
    cut(tmp_path)
    net, context = tmp_path / "net.npz", quiet(tmp_path / "work")
    probe = edited(net, runtime="onnxruntime 1.0").graph.probe
    request = Simulate(net, CHIP, engine="golden", context=context)
    assert request.agrees(request.run())
    second = list(probe)[1]
    edited(net, probe=probe | {second: "0" * 64})
    report = request.run()
    assert isinstance(report, PlanReport)
    assert report.apart == second
    assert not request.agrees(report)


def test_compare_finds_a_piece_that_is_another(tmp_path: Path) -> None:
    cut(tmp_path)
    net = tmp_path / "net.npz"
    plan = load_plan(net)
    network = plan.networks["chip1"]
    for each in network.parameters.values():
        each.weights[...] = 0
    from hwgen.files.digests import digest_of_array
    from hwgen.plan.cutting import content_of

    digest = digest_of_array(np.frombuffer(content_of(network), np.uint8))
    steps = tuple(
        replace(step, digest=digest) if step.name == "chip1" else step for step in plan.graph.steps
    )
    save_plan(replace(plan, graph=replace(plan.graph, steps=steps)), net)
    report = api.compare(net, tmp_path / "model.onnx", images=2)
    assert isinstance(report, PlanReport)
    assert report.equal is False
    assert report.seen is not None
    assert report.seen.by_piece is not None
    assert report.seen.by_piece["chip0"] == 0 < report.seen.by_piece["chip1"]


def test_a_damaged_plan_is_one_sentence(tmp_path: Path) -> None:
    cut(tmp_path)
    net = tmp_path / "net.npz"
    plan = load_plan(net)
    files = dict(plan.files) | {"host1": b"other"}
    save_plan(replace(plan, files=files), net)
    with pytest.raises(FormatError, match=r"^the piece host1 must be of the digest"):
        load_plan(net)
    with pytest.raises(FormatError, match=r"^input .* of chip0 must be an input of the file"):
        save_plan(plan, net)
        edited(net, steps=plan.graph.steps[1:])
        load_plan(net)


@pytest.mark.promise("`hwgen export` of a plan writes a folder a piece, and every border's vectors")
def test_a_plan_is_exported(tmp_path: Path) -> None:
    cut(tmp_path)
    out, net = tmp_path / "out", tmp_path / "net.npz"
    report = api.export(net, CHIP, out, images=2, context=quiet(tmp_path))
    assert isinstance(report, PlanReport)
    assert sorted(path.name for path in out.iterdir()) == ["borders.npz", "chip0", "chip1"]
    assert all((out / name / "run.sh").is_file() for name in ("chip0", "chip1"))
    borders, graph = np.load(out / "borders.npz"), load_plan(net).graph
    (feed,) = [{"x": image} for image in borders["t0"][1:]]
    (wanted,) = cut_file_of(tmp_path / "model.onnx").answers([feed])[0]
    last = list(borders["names"]).index(graph.outputs[0])
    assert np.array_equal(borders[f"t{last}"][1], wanted)
    with pytest.raises(ArgumentError, match="mode must be left out for a plan"):
        api.export(net, CHIP, out, mode="1x", context=quiet(tmp_path))


@pytest.mark.dear
@pytest.mark.promise("`hwgen run` simulates each piece of a plan and compares it with golden")
def test_a_plan_runs_in_verilog(tmp_path: Path) -> None:
    cut(tmp_path, "dbpim/tiny")
    request = Simulate(tmp_path / "net.npz", "dbpim/tiny", engine="rtl", context=Context())
    report = request.run()
    assert isinstance(report, PlanReport)
    runs = [piece.run for piece in report.pieces if piece.run is not None]
    assert len(runs) == 2
    assert all(run.equal and run.cycles_rtl == run.cycles_model for run in runs)
    assert request.agrees(report)
