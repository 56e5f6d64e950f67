"""Verilog whose devices err: every element equals golden that errs, and faults are seen."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from golden.crossbar.effects import erring
from golden.network import infer
from hwgen import api
from hwgen.chip.effects import DeviceEffects
from hwgen.cli import main
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.arch import Arch, arch_of, arch_text, load_arch
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl import bank
from hwgen.crossbar.rtl.conversions import Lane
from hwgen.crossbar.sim import simulate
from hwgen.crossbar.sim.chip_run import hosted
from hwgen.errors import ConfigError
from hwgen.files.shipped import tables
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from tests.golden.crossbar.test_effects import with_effects
from tests.golden.crossbar.test_levels import TABLE
from tests.verif.crossbar.whole import (
    answers_design,
    answers_network,
)
from verif.common.drawing import draw_images

EFFECTS = {
    "variation": with_effects(variation=0.2),
    "stuck": with_effects(stuck_at_zero=0.05, stuck_at_full=0.05),
    "offset": with_effects(offset_lsb=1.0),
    "trimmed": with_effects(variation=0.1, offset_lsb=3.0, trimmed=True),
    "clipped": with_effects(bits_below_lossless=5),
    "levels": replace(with_effects(offset_lsb=0.5), levels=replace(TABLE, time_s=3600.0)),
}


@cache
def small() -> tuple[QuantizedNetwork, Arch, Program]:
    """Return a network on a small chip built with effects, and its program."""
    network, arch = answers_network(), make_arch(answers_design(), "answers")
    erring_arch = replace(arch, effects=True)
    return network, erring_arch, compile_network(network, erring_arch, images=2)


def differing(effects: DeviceEffects, seed: int, case: Any = None) -> tuple[int, bool]:
    """Return the elements that differ from golden, and whether golden differs from exact."""
    network, arch, program = case or small()
    images = draw_images(network, 2, seed=3)
    chip = erring(network, arch, effects, seed, program)
    wanted, exact = infer(network, images, sums_by=chip), infer(network, images)
    (run,) = simulate(arch, chip.loaded(), images)
    wrong = 0
    for image, maps in zip(run.images, run.maps, strict=True):
        assert maps
        wrong += sum(
            int((found.reshape(wanted[name][image].shape) != wanted[name][image]).sum())
            for name, found in maps.items()
        )
    answer = network.answer
    return wrong, not np.array_equal(wanted[answer], exact[answer])


@pytest.mark.dear("offset-2")
@pytest.mark.promise(
    "a crossbar chip built with effects errs in Verilog as golden does: every element, for"
    " variation, stuck cells, offsets, trimmed offsets and clipped codes, three seeds each"
)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", EFFECTS)
def test_every_element_is_goldens(name: str, seed: int) -> None:
    wrong, errs = differing(EFFECTS[name], seed)
    assert errs, "the effect changes nothing"
    assert wrong == 0


def test_without_effects_the_chip_is_exact() -> None:
    assert differing(with_effects(), 1) == (0, False)


@pytest.mark.dear("3-effects1")
@pytest.mark.promise(
    "the Verilog of a chip whose converters have fewer bits than lose nothing clips as golden does"
)
@pytest.mark.parametrize(("less", "effects"), [(5, with_effects()), (3, EFFECTS["clipped"])])
def test_a_chip_with_clipped_converters(less: int, effects: DeviceEffects) -> None:
    """A file may ask for converters with even fewer bits."""
    network, arch = answers_network(), make_arch(answers_design(less), "answers", effects=True)
    assert arch.adc_bits == arch.point.lossless_bits - less
    case = network, arch, compile_network(network, arch, images=2)
    assert differing(effects, 1, case) == (0, True)


def clipped_files(folder: Path) -> dict[str, Any]:
    """Write a network, a chip of it whose converters have 3 bits less than lossless, and images."""
    names = {"network": "net.npz", "architecture": "chip.yaml", "data": "images.npz"}
    files = {what: folder / name for what, name in names.items()}
    save_network(answers_network(), files["network"])
    np.savez(files["data"], images=draw_images(answers_network(), 1, seed=3))
    text = arch_text(make_arch(answers_design(3), "answers", effects=True))
    files["architecture"].write_text(text, encoding="utf-8")
    return files


NEEDS_EFFECTS = "effects must be given, since the converters of answers have fewer bits than lose"


def test_clipped_converters_and_exact_golden_are_not_compared(tmp_path: Path) -> None:
    files = clipped_files(tmp_path)
    run = partial(api.simulate, **files, context=api.Context(console=None, work=tmp_path))
    for engine in ("rtl", "model", "golden"):
        with pytest.raises(ConfigError, match=NEEDS_EFFECTS):
            run(engine=engine)
    assert run(engine="model", effects="effects/exact").effects is not None
    file = files["architecture"]
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("effects: true\n", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="effects must be true, since converters have fewer bits"):
        run(engine="rtl")


def exporting(folder: Path) -> list[str]:
    """Return the command that exports such a chip."""
    files = {what: str(file) for what, file in clipped_files(folder).items()}
    given = ["export", files["network"], files["architecture"], "--data", files["data"]]
    return [*given, "--out", str(folder / "out"), "--work", str(folder / "work")]


@pytest.mark.promise(
    "export of a chip whose converters have fewer bits than lose nothing needs --effects, and has"
    " the cells, converters and answers of one seed"
)
def test_export_of_a_clipped_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    given, out = exporting(tmp_path), tmp_path / "out"
    assert main(given) == 2
    shown, said = capfd.readouterr()
    assert (shown, said.count("\n")) == ("", 1) and NEEDS_EFFECTS in said
    assert not out.exists()
    seen: dict[str, Any] = {}

    def write(arch: Arch, program: Program, images: Any, answers: Any, folder: Path) -> Path:
        seen.update(image=program.image, answers=answers)
        return folder / "run.sh"

    monkeypatch.setattr("hwgen.crossbar.sim.write_by_hand", write)
    monkeypatch.setattr("hwgen.commands.export.write_verilog", lambda *_: None)
    effects = tmp_path / "effects.yaml"
    effects.write_text(yaml.safe_dump(asdict(EFFECTS["variation"])), encoding="utf-8")
    more = ["--effects", str(effects), "--effect-seed", "2", "--json", str(tmp_path / "r.json")]
    assert main([*given, *more]) == 0
    network, arch = answers_network(), load_arch(tmp_path / "chip.yaml")
    chip = erring(network, arch, EFFECTS["variation"], 2, compile_network(network, arch))
    wanted = infer(network, draw_images(network, 1, seed=3), sums_by=chip)
    assert (seen["image"] == chip.loaded().image).all()
    assert {name: found.tolist() for name, found in seen["answers"].items()} == {
        name: wanted[name].tolist() for name in network.graph.outputs
    }
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert report["effects"]["seed"] == 2


@pytest.mark.long
def test_an_exported_chip_that_errs_answers_without_python(tmp_path: Path) -> None:
    assert main([*exporting(tmp_path), "--effects", "effects/reram_study"]) == 0
    done = subprocess.run([tmp_path / "out/run.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every answer is as expected" in done.stdout


def without_offset(patch: pytest.MonkeyPatch) -> None:
    """Leave the offset out of the sums of columns."""
    patch.setitem(bank.EFFECTS, "start", "0")


def trimmed_by_one_more(patch: pytest.MonkeyPatch) -> None:
    """Measure a trim with the half taken off in place of added."""
    patch.setattr("hwgen.crossbar.rtl.array.rounded", lambda value: (value - 32) >> 6)


def without_clip(patch: pytest.MonkeyPatch) -> None:
    """Give a lane the whole code, whatever bits its converter has."""

    def code(lane: Any, m: Any, column: Any) -> Any:
        m.d.comb += lane.trim.eq(column.trim)
        return lane.code

    patch.setattr(Lane, "_code", code)


@pytest.fixture(name="forget")
def _forget() -> Iterator[None]:
    """Let no other test have the Verilog of a planted fault."""
    hosted.cache_clear()
    yield
    hosted.cache_clear()


@pytest.mark.dear("without_offset-offset")
@pytest.mark.promise("a wrong offset, trim or clip of a chip that errs is seen")
@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("plant", "name"),
    [(without_offset, "offset"), (trimmed_by_one_more, "trimmed"), (without_clip, "clipped")],
)
def test_planted_faults_are_seen(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert differing(EFFECTS[name], 1)[0] > 0


@pytest.mark.promise("without `effects` in its file a crossbar chip has the Verilog that it had")
def test_a_file_without_effects_says_nothing_of_them() -> None:
    _, arch, _ = small()
    exact = replace(arch, effects=False)
    assert "effects" not in arch_text(exact) and exact.digest == exact.design_digest
    assert arch.design_digest == exact.digest != arch.digest
    # A person adds the key to the file of a design.
    given = yaml.safe_load(arch_text(exact)) | {"effects": True}
    assert arch_of(given, "chip.yaml").digest == arch.digest
    with pytest.raises(ConfigError, match="effects must be true, so that cells hold levels"):
        network = answers_network()
        erring(network, exact, with_effects(), 1, compile_network(network, exact)).loaded()


@pytest.fixture(name="digits", scope="module")
def _digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped chip of the digits, built with effects; each file of effects beside it."""
    folder = tmp_path_factory.mktemp("digits")
    text = tables("crossbar")["crossbar/digits_small_cnn"].read_text(encoding="utf-8")
    (folder / "chip.yaml").write_text(f"effects: true\n{text}", encoding="utf-8")
    for name, effects in (EFFECTS | {"clipped": with_effects(bits_below_lossless=2)}).items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(asdict(effects)), encoding="utf-8")
    return folder


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", [*EFFECTS, "effects/reram_study"])
def test_digits(name: str, seed: int, digits: Path) -> None:
    report = api.simulate(
        "digits_small_cnn",
        digits / "chip.yaml",
        images=2,
        effects=digits / f"{name}.yaml" if name in EFFECTS else name,
        effect_seed=seed,
        context=api.Context(console=None, work=digits),
    )
    assert report.equal and report.mismatches == 0
    assert report.effects is not None and report.effects.seed == seed


@pytest.mark.long
def test_resnet20_at_3_w(tmp_path: Path) -> None:
    """A short search finds its chip; of many layers several copies err, each by its own cells."""
    context = api.Context(console=None, work=tmp_path)
    out = tmp_path / "chip"
    api.synthesize(
        "cifar10_resnet20_50", 3.0, evaluations=3000, workers=1, out=out, context=context
    )
    file = out / "architecture.yaml"
    file.write_text(f"effects: true\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    weighted = [layer for layer in load_arch(file).layers if layer.kind in ("conv", "fc")]
    assert sum(layer.mapping.copies > 1 for layer in weighted) > len(weighted) / 2
    report = api.simulate(
        "cifar10_resnet20_50", file, images=1, effects="effects/reram_study", context=context
    )
    assert report.equal and report.mismatches == 0
    assert report.effects is not None and report.cycles_rtl == report.cycles_model
    assert report.starts_promised_by == "schedule" and report.starts_different == 0
