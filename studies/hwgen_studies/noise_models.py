"""Devices by level beside the noise models of aihwkit, a simulator of analog tiles in torch.

`python -m hwgen_studies.noise_models RECORD [SEEDS]` measures, writes the record and prints the
section of docs/device-effects.md. It needs `pip install aihwkit==1.1.0`, in an environment of its
own beside hwgen, and no data but the digits that ship. Three things are compared:

- cells of 2 bits: what each program draws of a level, at the same time;
- `digits_small_cnn` on the crossbars of golden, with the cells of each program;
- the same network as aihwkit computes it: an `AnalogLinear` for each layer, whose weights are pairs
  of cells of any level, without converters.

Tests: `studies/tests/test_noise_models.py`.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from golden.crossbar.devices import levels_of
from golden.crossbar.effects import erring
from golden.network import predict
from hwgen.chip.effects import DeviceEffects
from hwgen.commands.effects import devices_of
from hwgen.commands.images import choose_images
from hwgen.crossbar.facts.levels import LEVEL_STEPS
from hwgen.files.output import write_text
from hwgen.files.shipped import networks
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen_studies.lightning import POINT, Ints, Tiles, chip_of, plain, rows_of
from hwgen_studies.noise_models_page import CELLS_OF, GOLDEN, SLOW, page

TIMES = {"1 s": 1.0, "1 h": 3600.0, "1 d": 86400.0}
"""Seconds since writing, as aihwkit counts them."""
FULL = 2**POINT.cell_bits - 1
CELLS = 1_000_000
READ_S = 250e-9
"""How long aihwkit takes a read to be."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device that both have.

    file: of effects; model: the class of aihwkit; full, lowest: its conductances in uS
    later: seconds that golden's time is ahead of aihwkit's, which counts from the first read
    times: for which aihwkit has figures
    """

    name: str
    file: str
    model: str
    full: float
    lowest: float
    later: float
    times: tuple[str, ...]

    def effects(self, label: str) -> DeviceEffects:
        """Return the file of effects at a time."""
        given = devices_of(Path(self.file), 1).given
        assert given.levels is not None
        seconds = TIMES[label] + self.later
        return replace(given, levels=replace(given.levels, time_s=seconds))

    def noise_model(self) -> Any:
        """Return the model of aihwkit."""
        inference = import_module("aihwkit.inference")
        pair = inference.SinglePairConductanceConverter(g_max=self.full, g_min=self.lowest)
        noise = import_module("aihwkit.inference.noise.reram"), inference
        found = getattr(noise[0], self.model, None) or getattr(noise[1], self.model)
        return found(g_converter=pair)


DEVICES = (
    Device(
        name="phase-change memory",
        file="effects/pcm",
        model="PCMLikeNoiseModel",
        full=25.0,
        lowest=0.0,
        later=20.0,
        times=("1 s", "1 h", "1 d"),
    ),
    Device(
        name="HfOx ReRAM",
        file="effects/hfox_levels",
        model="ReRamWan2022NoiseModel",
        full=40.0,
        lowest=1.0,
        later=0.0,
        times=("1 s", "1 d"),
    ),
)


def with_slow_noise(effects: DeviceEffects, seconds: float) -> DeviceEffects:
    """Return a device whose deviations have aihwkit's noise since writing in them.

    seconds: since writing; the noise is a share of a level, as if it had no drift
    """
    assert effects.levels is not None
    since = np.sqrt(np.log((seconds + READ_S) / (2 * READ_S)))
    points = []
    for point in effects.levels.points:
        share = min(0.2, 0.0088 / max(1e-3, point.mean**0.65)) * since
        both = float(np.hypot(point.deviation, point.mean * share))
        points.append(replace(point, deviation=both))
    return replace(effects, levels=replace(effects.levels, points=points))


def aihwkits(
    device: Device, cells: NDArray[Any], label: str, drawn: torch.Generator
) -> torch.Tensor:
    """Return what cells came to hold by aihwkit, as levels from 0 to full."""
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=drawn)))
    model, span = device.noise_model(), device.full - device.lowest
    targets = device.lowest + span * torch.from_numpy(cells / FULL).float()
    held = model.apply_programming_noise_to_conductance(targets)
    exponents = model.generate_drift_coefficients(targets)
    now = model.apply_drift_noise_to_conductance(held, exponents, TIMES[label])
    return cast(torch.Tensor, now * (FULL / device.full))


def goldens(effects: DeviceEffects, cells: Ints, seed: int) -> NDArray[np.float64]:
    """Return what cells (any shape of two) came to hold by golden, as levels from 0 to full."""
    rng = np.random.default_rng(seed)
    given = {"cell_bits": POINT.cell_bits, "side": POINT.side, "table": effects.levels}
    held = levels_of(cells[np.newaxis], effects.cells, rng, **cast(Any, given))
    shares: NDArray[np.float64] = held[0] / float(1 << LEVEL_STEPS)
    return shares


@dataclass
class CellsOfAihwkit(Tiles):
    """The crossbars of golden with cells by aihwkit."""

    device: Device = DEVICES[0]
    label: str = "1 s"

    def levels(self, cells: Ints, drawn: torch.Generator) -> torch.Tensor:
        """Return what cells (columns, rows) came to hold."""
        return aihwkits(self.device, cells, self.label, drawn)


@dataclass
class Layers:
    """A network whose layers with weights are those of aihwkit; compensated: of drift."""

    device: Device
    label: str
    seed: int
    compensated: bool
    made: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer without groups, as `golden.network` asks for them."""
        held = network.parameters[layer.name]
        inputs, shape = rows_of(network, layer, maps, mode)
        if layer.name not in self.made:
            torch.manual_seed(1000 * self.seed + len(self.made))
            self.made[layer.name] = self._layer(held.weights.reshape(len(held.weights), -1))
        with torch.no_grad():
            found = self.made[layer.name](torch.from_numpy(inputs).float()).numpy()
        sums: Ints = np.rint(found).astype(np.int64).reshape(*shape, -1) + held.bias[mode]
        return sums

    def _layer(self, weights: NDArray[Any]) -> Any:
        """Return a layer; weights: (columns, rows)."""
        config = import_module("aihwkit.simulator.configs").TorchInferenceRPUConfig()
        config.forward.is_perfect, config.mapping.max_input_size = True, 0
        config.noise_model = self.device.noise_model()
        if not self.compensated:
            config.drift_compensation = None
        linear = import_module("aihwkit.nn").AnalogLinear
        columns, rows = weights.shape
        made = linear(rows, columns, bias=False, rpu_config=config)
        made.set_weights(torch.from_numpy(weights.astype(np.float32)))
        made.eval()
        made.drift_analog_weights(TIMES[self.label])
        return made


def level_rows() -> Iterator[dict[str, Any]]:
    """Yield mean and deviation of each level at each time, shares of the highest level."""
    for device in DEVICES:
        for label in device.times:
            for level in range(FULL + 1):
                cells = np.full((1000, CELLS // 1000), level)
                drawn = torch.Generator().manual_seed(level)
                held = {
                    "golden": goldens(device.effects(label), cells, level),
                    "aihwkit": aihwkits(device, cells, label, drawn).double().numpy(),
                }
                figures = {
                    name: [round(float(each), 5) for each in (one.mean() / FULL, one.std() / FULL)]
                    for name, one in held.items()
                }
                yield {"device": device.name, "time": label, "level": level, **figures}


def chips_of(
    network: QuantizedNetwork, device: Device, label: str, seeds: Sequence[int]
) -> Iterator[tuple[str, list[Any]]]:
    """Yield what computes a network, and a chip of each seed."""
    chip, effects = chip_of(network), device.effects(label)
    yield GOLDEN, [erring(network, cast(Any, chip), effects, seed) for seed in seeds]
    if device.later:
        noisy = with_slow_noise(effects, TIMES[label] + device.later)
        yield (
            SLOW,
            [erring(network, cast(Any, chip), noisy, seed) for seed in seeds],
        )
    yield (
        CELLS_OF,
        [
            CellsOfAihwkit(chip, 0.0, POINT.adc_bits, seed, plain, device=device, label=label)
            for seed in seeds
        ],
    )
    for compensated in (False, True):
        name = "aihwkit's layers" + (", drift compensated" if compensated else "")
        yield name, [Layers(device, label, seed, compensated) for seed in seeds]


def accuracy_rows(network: QuantizedNetwork, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield mean, deviation, least and most accuracy of the chips, and images a second."""
    batch = choose_images(network, None, None)
    for device in DEVICES:
        for label in device.times:
            for name, chips in chips_of(network, device, label, seeds):
                began = time.perf_counter()
                found = [
                    float(np.mean(predict(network, batch.images, sums_by=each) == batch.labels))
                    for each in chips
                ]
                speed = len(batch.images) * len(chips) / (time.perf_counter() - began)
                yield {
                    "device": device.name,
                    "time": label,
                    "computed_by": name,
                    "mean": round(float(np.mean(found)), 5),
                    "deviation": round(float(np.std(found)), 5),
                    "least": round(min(found), 5),
                    "most": round(max(found), 5),
                    "images_per_s": round(speed),
                }


def measured(seeds: int) -> dict[str, Any]:
    """Return the record, measured on one thread."""
    torch.set_num_threads(1)
    network = load_network(networks()["digits_small_cnn"])
    batch = choose_images(network, None, None)
    return {
        "format": "hwgen.results.noise_models",
        "version": 1,
        "simulator": f"aihwkit {import_module('aihwkit').__version__}",
        "network": "digits_small_cnn",
        "images": len(batch.images),
        "exact": round(float(np.mean(predict(network, batch.images) == batch.labels)), 5),
        "seeds": seeds,
        "cells": CELLS,
        "levels": list(level_rows()),
        "accuracies": list(accuracy_rows(network, range(1, 1 + seeds))),
    }


def main(record: str, seeds: str = "20") -> None:
    """Measure, write a record and print its section."""
    found = measured(int(seeds))
    # A row a line.
    lines = []
    for key, value in found.items():
        rows = isinstance(value, list)
        told = "[\n " + ",\n ".join(map(json.dumps, value)) + "\n]" if rows else json.dumps(value)
        lines.append(f"{json.dumps(key)}: {told}")
    write_text(Path(record), "{\n" + ",\n".join(lines) + "\n}\n", what="record")
    print(page(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
