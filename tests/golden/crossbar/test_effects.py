"""Products of crossbars whose devices err: exact without effects, and what each effect does."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from golden.crossbar.devices import levels_of, limits_of, offsets_of, trims_of
from golden.crossbar.effects import ErringCrossbars, erring
from golden.crossbar.encoding import encode, multiply
from golden.network import answer, predict
from hwgen.chip.effects import (
    CellEffects,
    ConverterEffects,
    DeviceEffects,
    ReadEffects,
    Writing,
    load_effects,
)
from hwgen.commands.images import Batch, choose_images
from hwgen.crossbar.facts.arch import Arch, load_arch
from hwgen.files.shipped import tables
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, network_file

NO_CELLS = CellEffects(
    variation=0.0,
    drift=0.0,
    stuck_at_zero=0.0,
    stuck_at_full=0.0,
    failed_writes=0.0,
    voltage_drop=0.0,
    weak_sensing=0.0,
    flipped=0.0,
)
NO_CONVERTERS = ConverterEffects(offset_lsb=0.0, trimmed=False, bits_below_lossless=0)
WRITING = Writing(energy_pj=0.0, time_ns=0.0, pulses=1.0, cells_at_once=1, endurance=0.0)
NONE = DeviceEffects(
    format="hwgen.effects",
    version=1,
    name="none",
    device="",
    cells=NO_CELLS,
    converters=NO_CONVERTERS,
    writing=WRITING,
    sources={},
)


def with_effects(**values: float | bool) -> DeviceEffects:
    """Return effects with some values, by the names of their keys."""
    of_cells = {key: value for key, value in values.items() if hasattr(NO_CELLS, key)}
    others = {key: value for key, value in values.items() if key not in of_cells}
    read = ReadEffects(deviation=others.pop("deviation", 0.0))
    return replace(
        NONE,
        read=read,
        cells=replace(NO_CELLS, **of_cells),  # type: ignore[arg-type]
        converters=replace(NO_CONVERTERS, **others),  # type: ignore[arg-type]
    )


@cache
def digits() -> tuple[QuantizedNetwork, Batch]:
    """Return the network of the digits and all its test images."""
    network = load_network(network_file(Path("digits_small_cnn")))
    return network, choose_images(network, "digits", None)


@cache
def chip() -> Arch:
    """Return the chip that ships for it."""
    return load_arch(tables("crossbar")["crossbar/digits_small_cnn"])


@pytest.mark.promise("without effects of devices every answer of a crossbar chip is golden's")
def test_without_effects_answers_are_exact() -> None:
    network, batch = digits()
    found = answer(network, batch.images, sums_by=erring(network, chip(), NONE, 1))
    assert np.array_equal(found, answer(network, batch.images))


def test_a_tile_is_the_definition_of_the_encoding() -> None:
    """Levels without effects, converters below lossless: `multiply` clips as the tile does."""
    rng, point = np.random.default_rng(3), chip().point
    weights = rng.integers(-128, 128, (128, 7))
    inputs = rng.integers(0, 256, (5, 128))
    bits = chip().adc_bits - 3
    chips = ErringCrossbars(digits()[0], chip(), with_effects(bits_below_lossless=3), 1)
    found = chips._copy(inputs, [chips._tile(weights, (0, 0, 0, 0))])
    stored = encode(weights, weight_bits=8, cell_bits=point.cell_bits)
    for pixel, products in zip(inputs, found, strict=True):
        wanted = multiply(
            stored,
            pixel,
            weight_bits=8,
            input_bits=8,
            cell_bits=point.cell_bits,
            dac_bits=point.dac_bits,
            adc_bits=bits,
            accumulator_bits=40,
        )
        assert np.array_equal(products, wanted)


def test_codes_are_rounded_sums_of_levels_and_offsets() -> None:
    rng, point = np.random.default_rng(4), chip().point
    effects = with_effects(variation=0.2, offset_lsb=3.0, bits_below_lossless=2)
    chips = ErringCrossbars(digits()[0], chip(), effects, 1)
    tile = chips._tile(rng.integers(-128, 128, (128, 5)), (0, 0, 0, 0))
    inputs = rng.integers(0, 256, (6, 128))
    inputs[0] = 0
    levels, offsets = tile.levels.astype(np.int64), tile.trimmed.astype(np.int64)
    wanted = np.zeros((6, levels.shape[1]), np.int64)
    for step in range(0, 8, point.dac_bits):
        sums = ((inputs >> step) & (2**point.dac_bits - 1)) @ levels + offsets
        wanted += np.clip((sums + 32) >> 6, 0, 2 ** (chip().adc_bits - 2) - 1) << step
    assert np.array_equal(chips._sampled(inputs, tile), wanted)


@pytest.mark.promise(
    "which cell errs by how much follows from the file and the seed, of each layer, copy and tile"
    " on its own"
)
def test_a_seed_is_a_chip() -> None:
    network, batch = digits()
    effects, few = with_effects(variation=0.1, offset_lsb=0.5), batch.images[:20]
    made = [erring(network, chip(), effects, seed) for seed in (1, 1, 2)]
    one, same, other = (answer(network, few, sums_by=sums) for sums in made)
    # Half of the images, and in another order of calls.
    assert np.array_equal(one, same)
    assert np.array_equal(answer(network, few[10:], sums_by=made[2]), other[10:])
    assert not np.array_equal(one, other)
    copies = made[0]._tiles  # type: ignore[attr-defined]
    assert not np.array_equal(copies["conv1", 0, 0][0].levels, copies["conv1", 0, 1][0].levels)


CELLS = np.random.default_rng(5).integers(0, 4, (4, 128, 128))


def spread(**values: float) -> np.ndarray[Any, Any]:
    """Return levels of cells under effects, of 64 a step."""
    rng = np.random.default_rng(1)
    return levels_of(CELLS, with_effects(**values).cells, rng, cell_bits=2, side=128)


def test_what_each_effect_does_to_levels() -> None:
    exact = spread()
    assert np.array_equal(exact, 64 * CELLS)
    varied = np.log(spread(variation=0.1)[CELLS == 3] / 192)
    assert abs(varied.mean()) < 0.002 and abs(varied.std() - 0.1) < 0.002
    lost = 1 - spread(drift=0.2)[CELLS == 3] / 192
    assert lost.min() >= 0 and 0.19 < lost.max() <= 0.203 and abs(lost.mean() - 0.1) < 0.002
    stuck = spread(stuck_at_zero=0.02, stuck_at_full=0.1)
    assert abs((stuck[CELLS == 3] == 0).mean() - 0.02) < 0.005
    assert abs((stuck[CELLS == 0] == 192).mean() - 0.1) < 0.01
    failed = spread(failed_writes=0.05)
    assert abs((failed != exact).mean() - 0.05) < 0.005
    assert set(np.unique((failed + exact)[failed != exact])) == {192}
    dropped = spread(voltage_drop=0.1)
    assert np.array_equal(dropped[:, 0, 0], exact[:, 0, 0])
    far = CELLS[:, 127, 127] * 64
    assert np.array_equal(dropped[:, 127, 127], np.rint(far * (1 - 0.1 * 127 / 128)))
    for row, column in ((0, 127), (127, 0)):
        edge = CELLS[:, row, column] * 64
        assert np.array_equal(dropped[:, row, column], np.rint(edge * (1 - 0.1 * 127 / 256)))


def test_offsets_and_their_trimming() -> None:
    offsets = offsets_of((9_000,), replace(NO_CONVERTERS, offset_lsb=2.0), np.random.default_rng(2))
    assert abs(offsets.std() / 64 - 2) < 0.05
    trims = trims_of(offsets)
    assert not np.any(trims % 64)
    left = offsets - trims
    # What a converter gives without inputs, halves upwards: with whole sums no code is wrong.
    assert left.min() == -32 and left.max() == 31


@pytest.mark.promise("offsets that stop at 16 bits are told, with the share that would go on")
def test_offsets_that_stop_are_told() -> None:
    converters = replace(NO_CONVERTERS, offset_lsb=4.0)
    assert not [*limits_of(converters, 4), *limits_of(NO_CONVERTERS, 8)]
    most = (1 << 15) - 1
    for step_bits in (6, 7, 8):
        drawn = offsets_of((100_000,), converters, np.random.default_rng(1), step_bits)
        (told,) = limits_of(converters, step_bits)
        steps, share = re.findall(r"stop at ([\d.]+) .*: ([\d.]+) of all", told)[0]
        assert float(share) == pytest.approx((np.abs(drawn) == most).mean(), abs=0.01)
        assert float(steps) == pytest.approx(512 / 2**step_bits, abs=0.01)


ONE_BIT_DACS: Any = SimpleNamespace(
    layers=(),
    adc_bits=8,
    weight_bits=8,
    bit_steps=8,
    activation_bits=8,
    point=SimpleNamespace(side=128, cell_bits=2, dac_bits=1),
)
"""Of a chip with one copy of each layer, what its crossbars are made of."""

OF_ANOTHER_PROGRAM: list[tuple[dict[str, float | bool], float, float]] = [
    ({"variation": 0.05}, 0.9877, 0.0065),
    ({"variation": 0.2}, 0.337, 0.1096),
    ({"stuck_at_zero": 0.0005, "stuck_at_full": 0.0005}, 0.9705, 0.0609),
    ({"stuck_at_zero": 0.005, "stuck_at_full": 0.005}, 0.7117, 0.1748),
    ({"offset_lsb": 0.5}, 0.2494, 0.1156),
    ({"offset_lsb": 0.5, "trimmed": True}, 0.9758, 0.0221),
    ({"voltage_drop": 0.02}, 0.9916, 0.0),
    ({"voltage_drop": 0.05}, 0.9694, 0.0),
    ({"drift": 0.05}, 0.8297, 0.019),
    ({"failed_writes": 1e-4}, 0.9921, 0.0016),
    ({"failed_writes": 1e-3}, 0.9855, 0.01),
    ({"bits_below_lossless": 1}, 0.9916, 0.0),
    ({"bits_below_lossless": 2}, 0.8969, 0.0),
]
"""Effects; the mean over 20 seeds of another program, and the deviation of its seeds."""
SEEDS = 10


@pytest.mark.long
@pytest.mark.parametrize(("values", "mean", "deviation"), OF_ANOTHER_PROGRAM)
def test_accuracy_is_that_of_another_program(
    values: dict[str, float | bool], mean: float, deviation: float
) -> None:
    """Means over seeds on 359 images differ by three standard errors and half a point at most."""
    network, batch = digits()
    made = (
        ErringCrossbars(network, ONE_BIT_DACS, with_effects(**values), seed)
        for seed in range(SEEDS)
    )
    found = [np.mean(predict(network, batch.images, sums_by=sums) == batch.labels) for sums in made]
    error = deviation * (1 / SEEDS + 1 / 20) ** 0.5
    assert abs(np.mean(found) - mean) <= 3 * error + 0.005


def test_files_that_ship() -> None:
    for name, file in tables("effects").items():
        assert load_effects(file).name == name.removeprefix("effects/")


@pytest.fixture(name="changed")
def _changed() -> Callable[[str, str], str]:
    """Return a file that ships with a text replaced."""
    text = tables("effects")["effects/reram_study"].read_text(encoding="utf-8")
    return text.replace


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("variation: 0.05", "variation: 5.0", "cells.variation"),
        ("drift: 0.01", "drift: 0.01\n  retention: 1.0", "cells.retention"),
        ("trimmed: true", "", "converters.trimmed"),
        ("pulses: 8.0", "pulses: 0.5", "writing.pulses"),
        ("pulses: 8.0", "pulses: 1.0e+300", "writing.pulses"),
        ("energy_pj: 10.0", "energy_pj: 1.0e+300", "writing.energy_pj"),
        (
            "stuck_at_zero: 0.0005",
            "stuck_at_zero: 0.9996",
            "cells.stuck_at_full must be at most 1 - stuck_at_zero, 0.0004, got 0.0005",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence(
    changed: Callable[[str, str], str], tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(changed(old, new), encoding="utf-8")
    with pytest.raises(Exception, match=said) as error:
        load_effects(file)
    assert "\n" not in str(error.value)


@pytest.mark.dear
@pytest.mark.promise(
    "a network trained with noise of cells bears 10 % variation: 96 % of the digits or more, and"
    " better than the same network without, over the seeds"
)
@pytest.mark.parametrize("seeds", [4, pytest.param(20, marks=pytest.mark.long)])
def test_a_network_trained_with_noise_bears_variation(seeds: int) -> None:
    effects, batch = with_effects(variation=0.1), digits()[1]
    trained = load_network(network_file(Path("digits_small_cnn_noise")))
    means = {}
    for network in (digits()[0], trained):
        right = [
            predict(network, batch.images, sums_by=erring(network, chip(), effects, seed))
            == batch.labels
            for seed in range(1, seeds + 1)
        ]
        means[network.graph.name] = float(np.mean(right))
    assert means["digits_small_cnn_noise"] >= 0.96
    assert means["digits_small_cnn_noise"] >= means["digits_small_cnn"] + 0.02
