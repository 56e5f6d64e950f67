"""`hwgen effects`: accuracy by seed, resumed, and refused where it has no meaning."""

from dataclasses import asdict, replace
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console

from golden.crossbar.effects import ErringCrossbars
from golden.network import infer, predict
from hwgen import api
from hwgen.chip.effects import load_effects
from hwgen.commands.effects import devices_of, erring_of
from hwgen.commands.images import choose_images
from hwgen.crossbar.facts.arch import load_arch
from hwgen.errors import ConfigError, FamilyError, HwgenError
from hwgen.files.shipped import tables
from hwgen.network import Linear
from hwgen.network.file import load_network, network_file
from hwgen.report.effects_plot import effects_picture
from hwgen.report.effects_table import effects_table

CHIP = "crossbar/digits_small_cnn"
FILE = "effects/reram_study"


@pytest.mark.dear
@pytest.mark.promise(
    "hwgen effects measures the accuracy of chips that err, a seed each, and goes on where it ended"
)
def test_seeds_over_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = tmp_path / "fx.svg"
    context = api.Context(console=None, work=tmp_path)
    vary = {"cells.variation": [0.0, 0.3]}
    measure = partial(
        api.effects,
        "digits_small_cnn",
        CHIP,
        effects=FILE,
        seeds=2,
        images=24,
        vary=vary,
        workers=1,
        context=context,
    )
    report = measure(plot=picture)
    mild, wild = report.points
    assert report.exact > 0.9 and mild.mean > wild.mean
    assert mild.least <= mild.mean <= mild.most and len(wild.accuracies) == 2
    assert report.keys == vary and report.seeds == [1, 2] and report.images == 24
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    # All is in the work folder: nothing is computed again.
    monkeypatch.setattr("hwgen.commands.effects.accuracy_of_task", None)
    again = measure()
    assert asdict(again) == asdict(report)


@pytest.mark.dear
@pytest.mark.promise("hwgen effects --by-layer lets each layer err alone, as golden has it")
def test_by_layer(tmp_path: Path) -> None:
    picture = tmp_path / "layers.svg"
    report = api.effects(
        "digits_small_cnn",
        CHIP,
        effects=FILE,
        seeds=2,
        images=48,
        vary={"cells.variation": [0.3]},
        by_layer=True,
        workers=1,
        plot=picture,
        context=api.Context(console=None, work=tmp_path),
    )
    network = load_network(network_file(Path("digits_small_cnn")))
    assert [point.layer for point in report.points] == [None, *network.parameters]
    text = picture.read_text(encoding="utf-8")
    assert all(f"{name}, 0.3" in text for name in ("all layers", *network.parameters))
    # The head alone: its sums by golden's devices, of exact maps.
    given = load_effects(tables("effects")[FILE])
    varied = replace(given, cells=replace(given.cells, variation=0.3))
    batch, head = choose_images(network, "digits", 48), network.layers[-1]
    assert isinstance(head, Linear)
    maps = infer(network, batch.images)
    chip = ErringCrossbars(network, load_arch(tables("crossbar")[CHIP]), varied, 2)
    sums = chip(network, head, maps[head.inputs[0]], 0)
    share = float(np.mean(network.scores(sums).argmax(axis=1) == batch.labels))
    assert report.points[-1].accuracies[1] == share
    assert max(point.mean for point in report.points[1:]) > report.points[0].mean


@pytest.mark.dear
@pytest.mark.promise("workers of a Dask scheduler give the accuracies that processes give")
def test_seeds_on_workers_of_a_scheduler(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    found = []
    for scheduler in (None, "local"):
        work = tmp_path / str(scheduler)
        report = api.effects(
            "digits_small_cnn",
            CHIP,
            effects=FILE,
            seeds=3,
            images=12,
            vary={"cells.variation": [0.3]},
            workers=1,
            scheduler=scheduler,
            context=api.Context(console=None, work=work),
        )
        found.append(report.points)
    assert found[0] == found[1] and len(set(found[0][0].accuracies)) > 1


def test_a_picture_of_equal_accuracies(tmp_path: Path) -> None:
    """Their mean may differ from each in its last digit."""
    report = api.effects(
        "digits_small_cnn",
        "dbpim/small",
        effects="effects/sram_low_voltage",
        seeds=2,
        images=8,
        workers=1,
        context=api.Context(console=None, work=tmp_path),
    )
    (point,) = report.points
    equal = replace(point, mean=0.9000000000000001, least=0.9, most=0.9)
    assert effects_picture(replace(report, points=[equal]), "svg").startswith(b"<?xml")


def test_other_labels_of_the_same_images_are_judged_anew(tmp_path: Path) -> None:
    """In one work folder, where the first accuracies are kept."""
    context = api.Context(console=None, work=tmp_path)
    drawn = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), np.uint8)
    network = load_network(network_file(Path("digits_small_cnn")))
    right = predict(network, drawn)
    found = []
    for name, labels in (("right", right), ("wrong", (right + 1) % 10)):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "images.npz", images=drawn, labels=labels)
        report = api.effects(
            "digits_small_cnn",
            "dbpim/small",
            effects="effects/sram_low_voltage",
            vary={"cells.flipped": [0.0]},
            data=tmp_path / name / "images.npz",
            seeds=1,
            workers=1,
            context=context,
        )
        found.append((report.exact, report.points[0].accuracies))
    assert found == [(1.0, [1.0]), (0.0, [0.0])]


def test_a_network_of_another_chip_is_refused(tmp_path: Path) -> None:
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(HwgenError, match="layers must be 9") as error:
        api.effects("digits_resnet20", CHIP, effects=FILE, seeds=1, images=2, context=context)
    assert "\n" not in str(error.value)


@pytest.mark.promise("hwgen effects measures chips of all three families, each with its effects")
@pytest.mark.parametrize(
    ("network", "chip", "file", "key"),
    [
        ("cadnn_digits", "mram/small", "effects/sot_mram", "cells.failed_writes"),
        ("digits_small_cnn", "dbpim/small", "effects/sram_low_voltage", "cells.flipped"),
    ],
)
def test_the_other_families(tmp_path: Path, network: str, chip: str, file: str, key: str) -> None:
    context = api.Context(console=None, work=tmp_path)
    vary = {key: [0.0, 0.2]}
    if file == "effects/sot_mram":
        vary["cells.weak_sensing"] = [0.0]
    report = api.effects(
        network, chip, effects=file, seeds=2, images=24, vary=vary, workers=1, context=context
    )
    none, many = report.points
    assert none.accuracies == [report.exact] * 2
    assert many.mean < none.mean


@pytest.mark.promise(
    "flipped cells follow the voltage of a measured chip, the energy of cells beside them"
)
def test_flips_by_voltage(tmp_path: Path) -> None:
    """A share that is given by hand is the same chip; above the measured voltages none flips."""
    context = api.Context(console=None, work=tmp_path)
    chip = ("digits_small_cnn", "dbpim/small")
    given: dict[str, Any] = {"seeds": 2, "images": 60, "workers": 1, "context": context}
    report = api.effects(
        *chip, effects="effects/sram_28nm", vary={"supply.volts": [0.54, 0.7]}, **given
    )
    low, high = report.points
    (same,) = api.effects(
        *chip, effects="effects/sram_low_voltage", vary={"cells.flipped": [6.24e-4]}, **given
    ).points
    assert low.accuracies == same.accuracies and same.cell_energy is None
    assert high.accuracies == [report.exact] * 2
    assert (low.cell_energy, high.cell_energy) == (pytest.approx(0.2916), pytest.approx(0.49))
    console = Console(width=160)
    with console.capture() as shown:
        console.print(effects_table(report))
    assert "energy of cells" in shown.get() and "0.29" in shown.get()
    with pytest.raises(ConfigError, match=r"supply\.volts must be from 0\.54, the lowest measured"):
        api.effects(*chip, effects="effects/sram_28nm", vary={"supply.volts": [0.5]}, **given)


@pytest.mark.promise("effects that a family's devices lack are refused before anything is computed")
@pytest.mark.parametrize("command", ["effects", "run", "export"])
@pytest.mark.parametrize(
    "case",
    [
        ("cadnn_digits", "mram/small", "effects/hfox_reram", "cells.variation"),
        ("digits_small_cnn", "dbpim/small", "effects/sot_mram", "cells.failed_writes"),
        ("digits_small_cnn", CHIP, "effects/sram_low_voltage", "cells.flipped"),
    ],
)
def test_effects_of_another_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, case: tuple[str, ...]
) -> None:
    def never(*given: object, **named: object) -> None:
        raise AssertionError

    for name in ("effects", "run", "export"):
        monkeypatch.setattr(f"hwgen.commands.{name}.program_of", never)
    network, chip, file, key = case
    context = api.Context(console=None, work=tmp_path / "work")
    given: dict[str, Any] = {"effects": file, "context": context}
    ask: dict[str, Any] = {
        "effects": lambda: api.effects(network, chip, images=2, **given),
        "run": lambda: api.simulate(network, chip, images=1, engine="rtl", **given),
        "export": lambda: api.export(network, chip, tmp_path / "out", **given),
    }
    with pytest.raises(ConfigError, match=f"^{key} must be 0, since chips of the family "):
        ask[command]()
    assert not (tmp_path / "work").exists() and not (tmp_path / "out").exists()


def test_what_devices_cannot_show_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip, said = SimpleNamespace(notes=["offsets stop at 2 steps"]), StringIO()
    monkeypatch.setattr("hwgen.commands.effects.erring_of", lambda family: lambda *given: chip)
    context = api.Context(console=Console(file=said), work=tmp_path)
    subject: Any = SimpleNamespace(network=None, arch=None, family=None)
    devices = devices_of(Path(FILE), 1)
    assert devices.chip(context, subject, cast(Any, None)) is chip
    assert said.getvalue() == "offsets stop at 2 steps\n"


def test_a_family_without_effects_is_refused() -> None:
    family: Any = SimpleNamespace(name="adder")
    with pytest.raises(FamilyError, match="the family adder cannot err yet"):
        erring_of(family)


@pytest.mark.parametrize(
    ("chip", "more", "said"),
    [
        ("dbpim/small", {}, "cells.variation must be 0, since chips of the family dbpim"),
        (CHIP, {"vary": {"cells.flipped": [0.1]}}, "cells.flipped must be 0"),
        (CHIP, {"vary": {"writing.pulses": [2.0]}}, "one of cells.variation, "),
        (CHIP, {"vary": {"cells.rust": [0.1]}}, "one of cells.variation, "),
        (CHIP, {"vary": {"cells.drift": [True]}}, "such as 0.01"),
        (CHIP, {"vary": {"cells.drift": ["a"]}}, "cells.drift must be such as 0.01, got a"),
        (CHIP, {"vary": {"name": ["a", "b"]}}, "one of cells.variation, .*, got name"),
        (CHIP, {"vary": {"cells.drift": [2.0]}}, "cells.drift"),
        (CHIP, {"vary": {"read.deviation": [4.5]}}, "read.deviation must be .* 4, got 4.5"),
        (CHIP, {"vary": {"read.deviation": [-0.1]}}, "read.deviation must be .* 0, got -0.1"),
        (CHIP, {"vary": {"read.deviation": [True]}}, "read.deviation must be such as 0.0"),
        (
            "dbpim/small",
            {"effects": "effects/exact", "vary": {"read.deviation": [0.1]}},
            "read.deviation must be 0, since chips of the family dbpim",
        ),
        (CHIP, {"seeds": 5000}, "at most 4096"),
        (CHIP, {"effects": "effects/rust"}, "the effects"),
    ],
)
def test_refusals(tmp_path: Path, chip: str, more: dict[str, object], said: str) -> None:
    given = {"effects": FILE, "images": 2, "workers": 1, **more}
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(HwgenError, match=said) as error:
        api.effects("digits_small_cnn", chip, context=context, **given)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    # No seed was begun.
    assert not (tmp_path / "effects").exists()


@pytest.mark.promise("a seed of devices without a file of effects is refused, not left out")
@pytest.mark.parametrize("command", ["run", "export"])
def test_a_seed_without_effects_is_refused(command: str, tmp_path: Path) -> None:
    context = api.Context(console=None, work=tmp_path)
    given: dict[str, Any] = {"effect_seed": 3, "context": context}
    said = "effect_seed must be left out without effects, got 3"
    with pytest.raises(HwgenError, match=said):
        if command == "run":
            api.simulate("digits_small_cnn", CHIP, engine="golden", **given)
        else:
            api.export("digits_small_cnn", CHIP, tmp_path / "out", **given)
