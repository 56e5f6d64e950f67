"""The conductor in Verilog starts everything in the steps of the schedule."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.operations import PER_BIT
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.timing import LAGS, MOST_LAG
from hwgen.crossbar.model.record import Confirmed, confirm, design_of
from hwgen.crossbar.rtl.conductor import Conductor, strobes
from tests.crossbar.model.conducted import chip_and_stream, promised_starts, random_design
from tests.crossbar.model.layers import conv, fc, pool
from tests.synthesis import COMPONENTS, POINTS, confirmed
from verif.common.side_by_side import SideBySide
from verif.runner import Waves, build, run


def stream_of(design: Confirmed, images: int, interval: int) -> dict[str, object]:
    """Return the starts of a stream, by operation and block."""
    promised = promised_starts(design, images, interval)
    keys = sorted({key[:2] for key in promised})
    starts: list[list[int]] = [[] for _ in keys]
    for place, index, block in sorted(promised):
        starts[keys.index((place, index))].append(promised[place, index, block])
    pipeline = design.pipeline
    end = max(
        step + int(pipeline.to_next[place, index])
        for (place, index, _), step in promised.items()
        if index + 1 == int(pipeline.length[place])
    )
    return {"images": images, "interval": interval, "starts": starts, "steps": end}


def case_of(chip: Chip, streams: list[dict[str, object]]) -> dict[str, object]:
    """Return what the bench reads."""
    layout, fields = strobes(chip), []
    for layer in chip.layers:
        outer = layout[f"layer{layer.place}"]
        for operation in layer.operations:
            repeated = operation.name in PER_BIT
            own = outer.shape[operation.name]
            fields.append(
                {
                    "first": outer.offset + own.offset,
                    "bits": own.width - 2,
                    "lag": LAGS[operation.name],
                    "repeats": operation.bit_steps if repeated else 1,
                    "steps": operation.steps,
                }
            )
    return {"step_clocks": chip.step_clocks, "strobes": fields, "streams": streams}


def bench(design: Confirmed, folder: Path, images: int, **how: object) -> None:
    """Run the bench on the conductor of a design."""
    chip, interval = chip_and_stream(design)
    streams = [stream_of(design, count, interval) for count in (1, images)]
    run_streams(chip, streams, folder, **how)


def run_streams(chip: Chip, streams: list[dict[str, object]], folder: Path, **how: object) -> None:
    """Run the bench on the conductor of a chip, with steps that are as short as lags allow."""
    chip = replace(chip, step_clocks=MOST_LAG + 1)
    file = folder / "case.json"
    file.write_text(json.dumps(case_of(chip, streams)), encoding="utf-8")
    parts = SideBySide(parts=[Conductor(chip=chip)])
    waves = how.pop("waves", None)
    assert waves is None or isinstance(waves, Waves)
    executable = build(parts, simulator=str(how.pop("simulator", "verilator")), waves=waves)
    settings = {"CONDUCTOR_CASE": str(file)}
    run(executable, module="verif.crossbar.bench_conductor", folder=folder, settings=settings)


@pytest.mark.dear
@pytest.mark.promise(
    "in Verilog too, each strobe in its clock, with parity and bit step; held steps change no start"
)
@pytest.mark.promise("late images hold steps, and change no answer and no start")
def test_a_design_of_every_kind_of_layer(tmp_path: Path, waves: Waves | None) -> None:
    bench(confirmed(), tmp_path, 3, waves=waves)


@pytest.mark.dear
def test_under_icarus(icarus: str, tmp_path: Path) -> None:
    design = random_design(2)
    assert design is not None
    bench(design, tmp_path, 3, simulator=icarus)


@pytest.mark.dear
@pytest.mark.promise(
    "a layer waits for its providers in a stream, also where its windows leave the end of their"
    " maps out"
)
def test_a_reader_that_leaves_the_end_of_a_map_out(icarus: str, tmp_path: Path) -> None:
    """Windows of 2 x 2 never read the last row of 5: the pooling is an image ahead, and waits."""
    layers = (
        conv("conv", (), (3, 4), (5, 5), window=(3, 1, 1)),
        pool("pool", (0,), 4, (5, 2), window=(2, 2, 0)),
        fc("head", (1,), (16, 5)),
    )
    design = confirm(
        CrossbarNetwork(name="ahead", input_channels=3, input_side=5, layers=layers),
        COMPONENTS,
        point=POINTS[0],
        rules=STRICT,
        power_w=6.0,
        design=design_of(copies=[1, 1, 1], macros=[1, 0, 1], partner=[-1] * 3, clocks=[1, 1, 1]),
    )
    bench(design, tmp_path, 4, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 3, 5, 7, 8, 10, 12, 14, 15])
def test_random_designs(seed: int, tmp_path: Path) -> None:
    design = random_design(seed)
    assert design is not None
    bench(design, tmp_path, 12)
