"""The Python API: what the commands write, plain types, and one sentence for what is wrong."""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from hwgen import api
from hwgen.cli import main
from hwgen.dbpim.facts import load_program, save_program
from hwgen.errors import FormatError
from hwgen.network.file import load_network, save_network
from hwgen.report.files import report_text
from tests.cli.given import ARCH, NETWORK, TINY
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images

STEPS = [getattr(api, name) for name in api.__all__ if inspect.isfunction(getattr(api, name))]


@pytest.fixture
def context(tmp_path: Path) -> api.Context:
    return api.Context(work=tmp_path / "work", console=None)


@pytest.mark.promise(
    "each step is a plain function with types and a docstring, and gives what its command writes"
)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_every_step_has_types_and_a_docstring(step: object) -> None:
    signature = inspect.signature(step)  # type: ignore[arg-type]
    assert set(get_type_hints(step)) == {*signature.parameters, "return"}
    assert inspect.getdoc(step)
    optional = [each for each in signature.parameters.values() if each.default is not each.empty]
    positional = [each.name for each in optional if each.kind is not each.KEYWORD_ONLY]
    assert positional in ([], ["architecture"])


def test_the_steps_that_are_promised_are_there() -> None:
    promised = {"import_network", "load_architecture", "compile", "model", "simulate", "build"}
    assert {step.__name__ for step in STEPS} >= promised | {"synthesize"}


@pytest.mark.parametrize("sparsity", ["none", "weight_values,input_bits"])
def test_model_and_its_command_write_the_same(
    sparsity: str, context: api.Context, tmp_path: Path
) -> None:
    chip = api.load_architecture(str(ARCH), sparsity=sparsity)
    report = api.model(str(NETWORK), chip, images=2, context=context)
    out = tmp_path / "model.json"
    given = ["model", NETWORK, ARCH, "--images", "2", "--sparsity", sparsity, "--json", out]
    assert main([str(each) for each in [*given, "--work", context.work]]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written == json.loads(report_text(report))
    assert written["images"] == 2


@pytest.mark.promise(
    "an architecture is the path of its file or loaded, with its switches or others"
)
def test_an_architecture_is_its_file_or_loaded(context: api.Context) -> None:
    chip = api.load_architecture(ARCH)
    assert (chip.name, chip.file, chip.family.name) == ("small", ARCH, "dbpim")
    dense = chip.with_sparsity("none")
    assert chip.configuration["sparsity"] == dict.fromkeys(chip.switches, True)
    assert dense.configuration["sparsity"] == dict.fromkeys(chip.switches, False)
    assert len(chip.switches) == 3
    by_file, by_chip, slow = (
        api.compile(NETWORK, each, context=context) for each in (ARCH, chip, dense)
    )
    assert by_file == by_chip
    assert by_file.program.digest != slow.program.digest


def test_a_program_is_written_and_run(context: api.Context, tmp_path: Path) -> None:
    program = tmp_path / "program.npz"
    report = api.compile(NETWORK, ARCH, out=program, batch=2, context=context)
    assert report.program.file == str(program)
    found = api.simulate(NETWORK, ARCH, program=program, engine="model", context=context)
    assert len(found.images) == 2
    assert found.setting.program_digest == report.program.digest


def test_golden_alone_gives_answers(context: api.Context) -> None:
    report = api.simulate(NETWORK, ARCH, images=3, engine="golden", context=context)
    assert report.cycles_model is None and report.equal is None
    assert len(report.predictions) == 3


@pytest.mark.dear
def test_verilog_compared_with_golden_and_model(context: api.Context, tmp_path: Path) -> None:
    network = directed("narrow")
    save_network(network, tmp_path / "network.npz")
    np.savez(tmp_path / "images.npz", images=random_images(network, 1, seed=0))
    report = api.simulate(
        tmp_path / "network.npz", TINY, data=tmp_path / "images.npz", seed=3, context=context
    )
    assert report.engine == "rtl" and report.equal is True
    assert report.cycles_rtl == report.cycles_model
    assert report.seeds == {"power_on": 3}


@pytest.mark.promise(
    "a lie about any field of a program's facts, of results or of a trace is a difference or a"
    " refusal"
)
@pytest.mark.promise(
    "fused maps follow from the network and the instructions; any other unchecked map differs"
)
def test_facts_of_a_program_hide_no_map(context: api.Context, tmp_path: Path) -> None:
    """A program file says that no step stores a map; the compiler says that they do."""
    network = directed("narrow")
    given, program = tmp_path / "network.npz", tmp_path / "program.npz"
    save_network(network, given)
    np.savez(tmp_path / "images.npz", images=random_images(network, 1, seed=0))
    api.compile(given, TINY, out=program, context=context)
    sound = load_program(program)
    steps = [replace(step, whole_words=False) for step in sound.facts.steps]
    save_program(replace(sound, facts=replace(sound.facts, steps=steps)), program)
    with pytest.raises(FormatError, match=r"steps.1.whole_words must be True, as it is compiled"):
        api.simulate(given, TINY, data=tmp_path / "images.npz", program=program, context=context)


def test_verilog_is_written(context: api.Context, tmp_path: Path) -> None:
    report = api.build(TINY, tmp_path / "verilog", context=context)
    assert set(report.files) == {path.name for path in (tmp_path / "verilog").iterdir()}
    assert report.architecture.name == "tiny"


def test_a_network_leaves_and_comes_back(context: api.Context, tmp_path: Path) -> None:
    api.export_onnx(NETWORK, tmp_path / "net.onnx")
    report = api.import_network(
        tmp_path / "net.onnx",
        tmp_path / "net.npz",
        dataset="digits",
        class_names=list("0123456789"),
    )
    assert report.content.refused == [] and report.content.kind == "ONNX"
    assert load_network(tmp_path / "net.npz").graph.dataset == "digits"
    same = api.simulate(tmp_path / "net.npz", ARCH, images=20, engine="golden", context=context)
    assert (
        same.predictions
        == api.simulate(NETWORK, ARCH, images=20, engine="golden", context=context).predictions
    )
    agreed = api.compare(tmp_path / "net.npz", tmp_path / "net.onnx", images=3, context=context)
    assert agreed.data.images == 3
    assert api.info(tmp_path / "net.npz", context=context).kind == "network"


def test_few_digits(context: api.Context, tmp_path: Path) -> None:
    report = api.fit(
        NETWORK, tmp_path / "fit.npz", phi=1, rule="text", calibration=8, context=context
    )
    assert (report.phi, report.rule, report.calibration_images) == (1, "text", 8)
    assert all(layer.filters_above >= 0 for layer in report.layers)
    assert load_network(tmp_path / "fit.npz").digest == report.fitted.digest


@pytest.mark.promise(
    "what is wrong is one sentence; nothing is printed without a console; without a context"
    " results are in build"
)
def test_what_is_wrong_is_one_sentence(context: api.Context, tmp_path: Path) -> None:
    for step, word in (
        (lambda: api.load_architecture(NETWORK), "must be YAML"),
        (lambda: api.load_architecture(ARCH, sparsity="zeros"), "zeros"),
        (lambda: api.model(NETWORK, ARCH, images=0, context=context), "images must be"),
        (lambda: api.import_network(ARCH, tmp_path / "net.npz"), "small.yaml"),
        (lambda: api.synthesize("vgg16", -1.0, context=context), "power_w"),
    ):
        with pytest.raises(api.HwgenError) as failure:
            step()
        assert word in str(failure.value) and "\n" not in str(failure.value)


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle model that is compiled first, which a step says."""
    monkeypatch.setattr("hwgen.dbpim.model.must_compile", lambda: True)


@pytest.mark.usefixtures("talkative")
def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    api.compile(NETWORK, TINY, context=api.Context(work=tmp_path / "quiet", console=None))
    assert capfd.readouterr() == ("", "")
    api.compile(NETWORK, TINY, context=api.Context(work=tmp_path / "shown"))
    assert "compiled once" in capfd.readouterr().err


@pytest.mark.usefixtures("talkative")
def test_without_a_context_it_works_in_build(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = api.compile(NETWORK, TINY)
    assert Path(report.program.file).is_file()
    assert report.program.file.startswith("build/programs/")
    assert capfd.readouterr() == ("", "")
