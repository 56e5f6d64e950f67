"""`hwgen synthesize`, `onnx` and their options on the command line."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen.crossbar.facts.arch import arch_text
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.pages.synthesis_files import FILES
from hwgen.crossbar.synthesis.result import SearchResult
from hwgen.crossbar.synthesis.state import Budget
from tests.cli.given import ARCH, NETWORK, Command
from tests.schemas import follows
from tests.synthesis import (
    COMPONENTS_FILE,
    handed_on,
    replace_search,
    result_of_one,
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a search that knows one design in the place of ours; returns what it was asked for."""
    asked: dict[str, Any] = {}

    def synthesize(
        network: CrossbarNetwork, components: Components, **given: Any
    ) -> SearchResult | None:
        asked.update(given)
        if given["power_w"] < 10:
            return None
        return result_of_one(network, components, given["power_w"], identical=given["identical"])

    replace_search(monkeypatch, synthesize)
    return asked


@pytest.fixture
def arch_file(tmp_path: Path) -> Path:
    """A crossbar architecture."""
    file = tmp_path / "crossbar.yaml"
    file.write_text(arch_text(handed_on()[0]), encoding="utf-8")
    return file


def refused(outcome: tuple[int, str, str], *words: str) -> None:
    code, out, err = outcome
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for word in words:
        assert word in err, f"{word!r} is not in {err!r}"


def synthesize_to(tmp_path: Path, *more: object) -> list[object]:
    return [
        "synthesize", "cifar_alexnet", "--out", tmp_path / "out", "--work", tmp_path / "work", *more
    ]  # fmt: skip


@pytest.mark.promise("a report holds nothing of the machine, and follows its published schema")
def test_a_design(hwgen: Command, quick: dict[str, Any], tmp_path: Path) -> None:
    files = ["--json", tmp_path / "r.json"]
    given = ["--power-w", 12, "--seed", 7, "--evaluations", 99, "--workers", 1, *files]
    code, out, err = hwgen(*synthesize_to(tmp_path, *given))
    assert code == 0, err
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    content = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    follows(content, "synthesize")
    assert (tmp_path / "r.json").read_bytes() == (tmp_path / "out/report.json").read_bytes()
    assert f"{content['efficiency_gops_per_w']:,.2f} GOPS/W" in out
    assert "add up to" in out
    assert (quick["power_w"], quick["seed"], quick["rules"]) == (12.0, 7, STRICT)
    assert quick["budget"] == Budget(method="bounded", evaluations=99)


@pytest.mark.dear
@pytest.mark.promise("hwgen synthesize says itself that its chip is too wide for Verilog")
@pytest.mark.parametrize("widest", [64, 1 << 16])
def test_a_chip_that_cannot_be_written(
    hwgen: Command,
    quick: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    widest: int,
) -> None:
    monkeypatch.setattr("hwgen.chip.rtl.emit.WIDEST", widest)
    report = tmp_path / "r.json"
    code, out, _ = hwgen(*synthesize_to(tmp_path, "--power-w", 50, "--json", report))
    said = json.loads(report.read_text())["no_verilog"]
    assert code == 0
    if widest == 64:
        assert said.startswith("signals must have at most 64 bits") and "crossbar_" in said
        assert f"hwgen build cannot write this chip: {said}" in out
    else:
        assert said is None and "cannot write" not in out


@pytest.mark.dear
def test_identical_macros(hwgen: Command, quick: dict[str, Any], tmp_path: Path) -> None:
    more = "--power-w", 12, "--workers", 1
    assert hwgen(*synthesize_to(tmp_path, *more))[0] == 0
    assert quick["identical"] is False
    given = [*more, "--identical", "--json", tmp_path / "r.json"]
    code, out, err = hwgen(*synthesize_to(tmp_path, *given))
    assert code == 0, err
    assert quick["identical"] is True
    assert "identical macros: each has as many" in out
    content = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert content["identical"] is True
    weighted = [layer for layer in content["layers"] if layer["kind"] in ("conv", "fc")]
    assert len({layer["adc"] / layer["macros"] for layer in weighted}) == 1
    arch = (tmp_path / "out/architecture.yaml").read_text(encoding="utf-8")
    assert "cifar_alexnet-12w-strict-identical" in arch


def test_what_it_left_can_be_asked(hwgen: Command, quick: dict[str, Any], tmp_path: Path) -> None:
    assert hwgen(*synthesize_to(tmp_path, "--power-w", 12, "--workers", 1))[0] == 0
    code, out, err = hwgen("info", tmp_path / "out/architecture.yaml")
    assert (code, err) == (0, "")
    assert "cifar_alexnet-12w-strict of the family crossbar" in out


def test_an_interrupt_while_a_stream_is_simulated(
    hwgen: Command, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hwgen.crossbar.model.record.steady_stream", interrupted)
    code, out, err = hwgen(*synthesize_to(tmp_path, "--power-w", 12, "--workers", 1))
    assert (code, out) == (130, "")
    assert "the same command goes on where this one stopped" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.promise("the audit of peak power counts the architecture file itself, item by item")
def test_an_audit_that_fails_is_an_exit_code(
    hwgen: Command, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwgen.crossbar.pages.reported.ROUNDING", -1.0)
    code, out, _ = hwgen(*synthesize_to(tmp_path, "--power-w", 12, "--workers", 1))
    assert code == 1
    assert "too much" in out


@pytest.mark.promise("bad input to a synthesis is one sentence")
@pytest.mark.parametrize(
    ("watts", "said"),
    [
        *((watts, "above 0") for watts in ("0", "-3", "1e12")),
        *((watts, "a finite number") for watts in ("nan", "inf")),
    ],
)
def test_absurd_power(hwgen: Command, tmp_path: Path, watts: str, said: str) -> None:
    refused(hwgen(*synthesize_to(tmp_path, f"--power-w={watts}")), "--power-w", said)
    assert not (tmp_path / "out").exists()


@pytest.mark.promise("a budget that is too small is refused with one that would do")
def test_too_little_power_says_how_much_would_do(
    hwgen: Command, quick: dict[str, Any], tmp_path: Path
) -> None:
    outcome = hwgen(*synthesize_to(tmp_path, "--power-w", 0.5, "--workers", 1))
    refused(outcome, "--power-w must be at least", "one copy of the weights", "got 0.5")
    assert not (tmp_path / "out").exists()


def test_unknown_network(hwgen: Command, tmp_path: Path) -> None:
    refused(hwgen("synthesize", "lenet", "--power-w", 5), "lenet", "alexnet", "ONNX")
    absent = tmp_path / "absent.onnx"
    refused(hwgen("synthesize", absent, "--power-w", 5), "no file", "absent.onnx")


def test_truncated_onnx(hwgen: Command, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    assert hwgen("export-onnx", "alexnet", "--out", file)[0] == 0
    file.write_bytes(file.read_bytes()[:-700])
    refused(hwgen("synthesize", file, "--power-w", 49), "net.onnx")
    refused(hwgen("info", file), "net.onnx")


def test_missing_constant(hwgen: Command, tmp_path: Path) -> None:
    content = yaml.safe_load(COMPONENTS_FILE.read_text(encoding="utf-8"))
    del content["network_on_chip"]["power_w"]
    file = tmp_path / "parts.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    outcome = hwgen(*synthesize_to(tmp_path, "--power-w", 12, "--components", file))
    refused(outcome, "network_on_chip.power_w must be present", "parts.yaml")
    absent = tmp_path / "absent.yaml"
    outcome = hwgen(*synthesize_to(tmp_path, "--power-w", 12, "--components", absent))
    refused(outcome, "no file", "absent.yaml")


def test_a_folder_of_somebody_else(hwgen: Command, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").touch()
    refused(hwgen(*synthesize_to(tmp_path, "--power-w", 12)), "thesis.tex")


@pytest.mark.parametrize(
    "arguments",
    [
        ["synthesize", "alexnet"],
        ["synthesize", "alexnet", "--power-w", "much"],
        ["synthesize", "alexnet", "--power-w", 9, "--rules", "fair"],
        ["synthesize", "alexnet", "--power-w", 9, "--workers", 0],
        ["synthesize", "alexnet", "--power-w", 9, "--evaluations", 0],
        ["export-onnx", "alexnet"],
    ],
)
def test_usage(hwgen: Command, arguments: list[object]) -> None:
    code, out, err = hwgen(*arguments)
    assert (code, out) == (2, "")
    assert "hwgen" in err


def test_help_teaches(hwgen: Command) -> None:
    for command in ("synthesize", "export-onnx"):
        assert command in hwgen("--help")[1]
        assert "Example: hwgen" in hwgen(command, "--help")[1]


def test_onnx_and_info_of_it(hwgen: Command, tmp_path: Path) -> None:
    file = tmp_path / "new/vgg16.onnx"
    code, out, _ = hwgen("export-onnx", "vgg16", "--out", file)
    assert code == 0
    assert "vgg16, 16 layers with weights" in out
    reports = []
    for name in (file, "vgg16"):
        code, out, err = hwgen("info", name, "--json", tmp_path / "info.json")
        assert (code, err) == (0, "")
        assert "138,344,128 weights" in out
        content = json.loads((tmp_path / "info.json").read_text(encoding="utf-8"))
        follows(content, "info")
        assert content["kind"] == "graph"
        follows(content["graph"], "info_graph")
        reports.append(content["graph"])
    assert reports[0]["layers"] == reports[1]["layers"]
    # Its first convolution: 27 rows and 64 columns fit on one crossbar, 8 cells a weight.
    assert reports[0]["layers"][0]["crossbars"] == 8
    refused(hwgen("export-onnx", "quite_another", "--out", file), "quite_another", "vgg16")
    refused(hwgen("export-onnx", "vgg17", "--out", file), "did you mean vgg16 or vgg13?")
    both = hwgen("export-onnx", "vgg16", "--mode", "1.0x", "--out", file)
    refused(both, "--mode must be left out of a network without weights, got 1.0x")


def test_info_of_an_architecture(hwgen: Command, arch_file: Path, tmp_path: Path) -> None:
    code, out, err = hwgen("info", arch_file, "--json", tmp_path / "info.json")
    assert (code, err) == (0, "")
    assert "family crossbar" in out
    assert "mesh.macros" in out
    assert "name deep; kind conv" in out
    content = json.loads((tmp_path / "info.json").read_text(encoding="utf-8"))
    wanted = json.loads(json.dumps(asdict(handed_on()[0])))
    for key in ("effects", "nonlinear_converters", "read_noise"):
        assert not wanted.pop(key)
    assert wanted.pop("reset") == "all"
    assert wanted.pop("checksum")
    assert wanted["network"].pop("input_columns") is None
    assert wanted["point"].pop("cells") == "offset"
    assert content["architecture"]["configuration"] == wanted
    refused(hwgen("info", arch_file, "--sparsity", "all"), "--sparsity", "no sparsity switches")


@pytest.mark.promise(
    "a program is for one chip and one network; others, more bits, longer streams are one sentence"
)
@pytest.mark.parametrize("command", ["run", "compile", "model", "export"])
def test_a_network_that_the_chip_was_not_made_for(
    hwgen: Command, arch_file: Path, tmp_path: Path, command: str
) -> None:
    out = ["--out", tmp_path / "out"] if command == "export" else []
    outcome = hwgen(command, NETWORK, arch_file, "--work", tmp_path / "work", *out)
    refused(outcome, "input_channels must be", "small-3w was made for", "(digits_small_cnn)")
    assert not (tmp_path / "out").exists()


def test_a_network_with_weights_that_ships_has_a_name(hwgen: Command, tmp_path: Path) -> None:
    given = "--power-w", 0.01, "--work", tmp_path
    named, filed = (hwgen("synthesize", each, *given) for each in (NETWORK.stem, NETWORK))
    refused(named, "--power-w must be at least", "one copy of the weights of digits_small_cnn")
    assert named == filed
    refused(hwgen("synthesize", "quite_other", *given), "or one of", "vgg16", NETWORK.stem)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["vgg16"], ["--then-run", "a quantized network (.npz)", "got vgg16"]),
        ([NETWORK, "--rules", "published"], ["--then-run", "--rules strict", "got published"]),
    ],
)
def test_only_chips_with_weights_run(
    hwgen: Command, tmp_path: Path, given: list[object], words: list[str]
) -> None:
    out = tmp_path / "out"
    refused(hwgen("synthesize", *given, "--power-w", 49, "--then-run", "--out", out), *words)
    assert not out.exists()


@pytest.mark.promise(
    "each family says what it offers, keeps what that promises, and names what it lacks"
)
def test_what_the_family_cannot_do(hwgen: Command, arch_file: Path, tmp_path: Path) -> None:
    refused(hwgen("run", NETWORK, arch_file, "--sparsity", "all"), "no sparsity switches")
    outcome = hwgen("model", NETWORK, arch_file, "--speedup", "--work", tmp_path)
    assert outcome[0] == 2


def test_a_graph_and_an_architecture(hwgen: Command) -> None:
    refused(hwgen("info", "alexnet", ARCH), "alexnet")
