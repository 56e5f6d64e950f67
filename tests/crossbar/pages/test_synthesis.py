"""The report of a synthesis: its figures, its table."""

import json
import re
from dataclasses import dataclass, replace
from typing import cast

import jsonschema
import pytest
from rich.console import Console

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.model.events import PICO_OF_MILLI, parts_pj, run_events
from hwgen.crossbar.model.record import Confirmed
from hwgen.crossbar.pages.reported import pareto_of
from hwgen.crossbar.pages.starts_picture import GUEST, layer_colours
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.crossbar.pages.synthesis_table import short_names, synthesis_table
from hwgen.report.files import report_text, schema_of
from tests.synthesis import POWER_W, handed_on, result

Made = tuple[Arch, Schedule, SynthesisReport]


@pytest.fixture(scope="module")
def made() -> Made:
    return handed_on()


def test_the_report_follows_its_schema(made: Made) -> None:
    content = json.loads(report_text(made[2]))
    jsonschema.validate(content, json.loads(schema_of(SynthesisReport)))


def test_what_must_be_in_it(made: Made) -> None:
    content = json.loads(report_text(made[2]))
    assert content["rules"] == "strict"
    assert content["gap_to_bound_percent"] == pytest.approx(25)
    assert content["bound_gops_per_w"] == pytest.approx(1.25 * content["efficiency_gops_per_w"])
    assert content["edp_ms_mj"] == pytest.approx(content["latency_ms"] * content["energy_mj"])
    assert content["peak_power_w"] <= content["power_budget_w"] == POWER_W
    assert content["within_budget"] is True
    assert sum(content["power_by_component_w"].values()) == pytest.approx(content["peak_power_w"])
    assert sum(content["energy_by_part_mj"].values()) == pytest.approx(content["energy_mj"])
    assert sum(row["peak_w"] for row in content["audit"]) == pytest.approx(content["peak_power_w"])
    assert sum(row["peak_w"] for row in content["layers"]) < content["peak_power_w"]
    assert [layer["partner"] for layer in content["layers"]].count(None) == 5
    assert content["convergence"][0]["best_gops_per_w"] is None
    assert len(content["points"]) == 2


@pytest.mark.promise("a report holds nothing of the machine, and follows its published schema")
def test_it_tells_nothing_of_the_machine(made: Made) -> None:
    keys = set(re.findall(r'"(\w+)":', report_text(made[2])))
    assert not [key for key in keys if re.search("worker|seconds|elapsed|date|host|folder", key)]


def test_the_same_bytes(made: Made) -> None:
    assert report_text(handed_on()[2]) == report_text(made[2])


def test_the_front_holds_what_nothing_beats(made: Made) -> None:
    designs = made[2].pareto
    assert len(designs) == len(result().candidates)
    for one in designs:
        beaten = any(
            other.efficiency_gops_per_w >= one.efficiency_gops_per_w
            and other.throughput_gops >= one.throughput_gops
            for other in designs
            if other is not one
        )
        assert one.on_front is not beaten


@dataclass(frozen=True)
class Streaming:
    """A confirmed design, of which only its stream is known."""

    throughput_gops: float

    def reaches(self, throughput_gops: float) -> bool:
        return throughput_gops <= self.throughput_gops


def test_streams_decide_who_is_on_the_front() -> None:
    """Layers alone would allow 5, 4, 3.9 and 4.5 GOPS; streams reach 3, 4 and, the last one, 2."""
    given = result()
    candidates = [
        replace(given.best, efficiency_gops_per_w=efficiency, interval_steps=1, step_ns=1 / gops)
        for efficiency, gops in ((10.0, 5.0), (9.0, 4.0), (8.0, 3.9), (7.0, 4.5))
    ]
    streams = {10.0: Streaming(3.0), 9.0: Streaming(4.0), 7.0: Streaming(2.0)}
    found = pareto_of(
        replace(given, candidates=candidates),
        1.0,
        lambda one: cast(Confirmed, streams[one.efficiency_gops_per_w]),
    )
    assert [one.throughput_gops for one in found] == pytest.approx([3.0, 4.0, 3.9, 4.5])
    assert [one.on_front for one in found] == [True, True, False, False]


def test_a_search_without_bound(made: Made) -> None:
    report = handed_on(bound_gops_per_w=float("inf"), convergence=[], points=[])[2]
    assert report.bound_gops_per_w is report.gap_to_bound_percent is None
    assert "can beat" not in shown(report)


def shown(report: SynthesisReport) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(synthesis_table(report))
    return capture.get()


def test_the_table(made: Made) -> None:
    text = shown(made[2])
    assert "3 with 4" in text
    assert "no design can beat" in text
    assert f"of {POWER_W:g} W\n" in text
    assert "stopped early" not in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_table_of_what_went_wrong(made: Made) -> None:
    text = shown(replace(made[2], within_budget=False, stopped_early=True))
    assert "too much" in text
    assert "stopped early" in text


def test_short_names() -> None:
    exported = ["/features/features.0/Conv_output_0", "/layer1/layer1.0/conv1/Conv_output_0", "36"]
    assert short_names(exported) == ["features.0/Conv", "layer1.0/conv1/Conv", "36"]
    assert short_names(["a", "/a"]) == ["a", "/a"]


def test_colours_tell_layers_apart(made: Made) -> None:
    colours = layer_colours(made[0])
    own = [colour for colour in colours if colour != GUEST]
    assert len(set(own)) == len(own) == 4


def test_counted_energy_stands_beside_what_the_search_charges(made: Made) -> None:
    arch, _, report = made
    spent = parts_pj(run_events(described(arch), 1), arch)
    for part in report.parts:
        assert part.counted_mj is not None
        work = part.counted_mj - part.static_mj
        counted = spent.get(part.part, part.dynamic_mj * PICO_OF_MILLI) / PICO_OF_MILLI
        assert work == pytest.approx(counted, abs=1e-12)
    exact = {one.part: one for one in report.parts if one.part in ("crossbar", "adc")}
    assert all(
        one.counted_mj == pytest.approx(one.static_mj + one.dynamic_mj) for one in exact.values()
    )


def test_a_chip_of_published_rules_counts_nothing(made: Made) -> None:
    parts = [replace(part, counted_mj=None) for part in made[2].parts]
    console = Console(width=200, no_color=True)
    with console.capture() as shown:
        console.print(synthesis_table(replace(made[2], parts=parts)))
    rows = [line.split() for line in shown.get().splitlines()]
    assert next(row for row in rows if row[:1] == ["adc"])[-3] == "-"
