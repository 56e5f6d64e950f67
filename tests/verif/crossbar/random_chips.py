"""Chips that the search finds for small networks, and their runs: one by one, and as a stream.

By hand, for many networks; it goes on where it stopped:

    python -m tests.verif.crossbar.random_chips --count 200
"""

import argparse
import importlib
import json
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.chip.sim.host import HostedChip
from hwgen.commands.context import Context
from hwgen.commands.run import Simulate
from hwgen.commands.synthesis import Synthesize
from hwgen.crossbar.compiler.answers import layers_behind
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.least import least_power_w
from hwgen.crossbar.pages.networks import load_problem
from hwgen.crossbar.sim.chip_run import Stores, hosted
from hwgen.errors import HwgenError, SimulationError
from hwgen.files.digests import digest_of_code
from hwgen.jobs import executors
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from hwgen.report.run import RunReport
from tests.synthesis import COMPONENTS_FILE
from verif.common.drawing import draw_images
from verif.cpu import cpu_seconds
from verif.crossbar.random_network import draw_recipe, random_network

EVALUATIONS = 40
FACTORS = (1.2, 3.0, 8.0)
"""Budgets, in least powers."""
ALONE, STREAM = 2, 5
"""Images that run one by one, and that run as a stream."""
CODE = ("hwgen", "verif.crossbar.random_network", "verif.common.drawing")
"""Packages whose change makes every result old."""
STATE = Path("build/random_chips")
MOST_REFUSED = 10
"""Of two hundred networks."""

Result = Literal["equal", "differs", "error", "refused", "fault"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Recipe of a chip, and of what runs on it.

    factor: power budget, in least powers
    slow: of the runs, which has a slow memory; latency: in cycles; stalls: percent
    components: table of the parts: of a clock of 1 ns, or of the digits chip's netlist
    """

    factor: float
    objective: Literal["image", "stream"]
    slow: Literal["alone", "stream"] | None = None
    latency: int = 1
    stalls: int = 0
    components: str = "components.yaml"


@dataclass(kw_only=True)
class Outcome:
    """What came of a network.

    result: of both runs, the worse; why: the first sentence, where it is not equal
    runs: of each run: what differs, or what error; cpu_s: of search, of both runs
    """

    name: str
    made_of: str
    recipe: dict[str, Any]
    result: Result = "equal"
    why: str = ""
    runs: dict[str, Any] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The outcome in a line."""
        seconds = " + ".join(f"{each:.0f}" for each in self.cpu_s.values())
        return f"{self.name}: {self.made_of}: {self.result} {self.why} ({seconds} s)"


def draw_chip(seed: int) -> Recipe:
    """Return a chip and its runs."""
    rng = np.random.default_rng([seed, 1])
    return Recipe(
        factor=float(rng.choice(FACTORS)),
        objective="stream" if rng.integers(2) else "image",
        slow="stream" if rng.integers(2) else "alone",
        latency=int(rng.integers(1, 2000)),
        stalls=int(rng.integers(0, 60)),
        components=("components.yaml", "components.yaml", "components_netlist.yaml")[seed % 3],
    )


def made_of(network: QuantizedNetwork) -> str:
    """Return size and operations of a network in a few words."""
    height, width, channels = network.graph.input.shape
    layers = " ".join(layer.op for layer in network.layers)
    return f"{height}x{width}x{channels} {layers}, {len(network.graph.outputs)} answers"


@cache
def quick(chip: Chip, replacements: Replacements = NO_REPLACEMENTS) -> HostedChip[Stores]:
    """Return a chip whose simulator is compiled as fast as can be."""
    return replace(hosted(chip, replacements), optimize="-O0")


@contextmanager
def cheap() -> Iterator[None]:
    """Search in this process, and compile what runs once as fast as can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("hwgen.crossbar.sim.simulate"), "hosted", quick)
        patch.setattr(executors, "make_executor", lambda *_: executors.SerialExecutor())
        yield


def find_chip(file: Path, recipe: Recipe, folder: Path) -> Path:
    """Search a chip for a network; return its architecture, beside which its schedule lies."""
    table = COMPONENTS_FILE.with_name(recipe.components)
    network, components = load_problem(str(file), load_components(table))
    least = least_power_w(network, components, STRICT)
    # A network without a least power is refused by the search itself.
    Synthesize(
        str(file),
        recipe.factor * (least or 1.0),
        components=table,
        objective=recipe.objective,
        evaluations=EVALUATIONS,
        workers=1,
        out=folder / "chip",
        context=Context(work=folder, console=None),
    ).run()
    return folder / "chip/architecture.yaml"


def run_chip(
    file: Path, chip: Path, images: Path, folder: Path, *, count: int, batch: int, **slow: Any
) -> RunReport:
    """Run images as `hwgen run` does."""
    context = Context(work=folder, console=None)
    given = {"data": str(images), "images": count, "batch": batch, "engine": "rtl"}
    return Simulate(str(file), chip, **given, **slow, context=context).run()


def differences(network: QuantizedNetwork, report: RunReport) -> dict[str, Any]:
    """Return what differs in a run; nothing where all is equal."""
    found: dict[str, Any] = {
        f"elements of {each.name}": each.mismatches for each in report.layers if each.mismatches
    }
    found |= {
        f"starts of {each.layer} {each.operation}": each.different
        for each in report.operations
        if each.different
    }
    if report.memory is None and report.cycles_rtl != report.cycles_model:
        found["cycles"] = [report.cycles_rtl, report.cycles_model]
    if report.equal is not True and not found:
        found["first"] = str(report.first_difference)
    results = {each.layer for each in report.operations if each.operation == "result"}
    behind = layers_behind(network)
    for name in network.graph.outputs:
        # A copy that leaves the chip, or the layers that write it.
        if not results & {name, f"{name}.answer"} and not results >= set(behind[name]):
            found[f"{name} stays on the chip"] = True
    return found


@contextmanager
def counted(seconds: dict[str, float], what: str) -> Iterator[None]:
    """Write the CPU seconds of the body down."""
    began = cpu_seconds()
    try:
        yield
    finally:
        seconds[what] = round(cpu_seconds() - began, 1)


def try_network(
    network: QuantizedNetwork, recipe: Recipe, folder: Path, images: np.ndarray | None = None
) -> Outcome:
    """Find a chip for a network and run it, one by one and as a stream."""
    name = network.graph.name
    outcome = Outcome(name=name, made_of=made_of(network), recipe=asdict(recipe))
    file, data = folder / "network.npz", folder / "images.npz"
    save_network(network, file)
    np.savez(data, images=draw_images(network, STREAM, seed=3) if images is None else images)
    try:
        with counted(outcome.cpu_s, "search"):
            chip = find_chip(file, recipe, folder)
    except HwgenError as error:
        outcome.result, outcome.why = "refused", str(error)
        return outcome
    for kind, count, batch in (("alone", ALONE, 1), ("stream", STREAM, STREAM)):
        slow = {"latency": recipe.latency, "stalls": recipe.stalls} if recipe.slow == kind else {}
        try:
            with counted(outcome.cpu_s, kind):
                report = run_chip(file, chip, data, folder, count=count, batch=batch, **slow)
            found = differences(network, report)
        except SimulationError as error:
            found = {"error": str(error)}
        except HwgenError as error:
            found = {"refused": str(error)}
        outcome.runs[kind] = found
        if found and outcome.result == "equal":
            outcome.result = next((key for key in ("error", "refused") if key in found), "differs")
            outcome.why = f"{kind}: {found}"
    return outcome


def try_seed(seed: int, folder: Path) -> Outcome:
    """Draw a network, its chip and its runs, and try them."""
    recipe = draw_recipe(seed)
    network = random_network(recipe, seed=seed)
    outcome = try_network(network, draw_chip(seed), folder)
    outcome.name = name_of(seed)
    return outcome


def name_of(seed: int) -> str:
    """Return the name of an outcome."""
    return f"seed {seed}"


def safely(seed: int) -> Outcome:
    """Try a seed; a fault is an outcome."""
    with tempfile.TemporaryDirectory(dir=STATE, prefix="seed-") as folder, cheap():
        try:
            return try_seed(seed, Path(folder))
        except Exception:
            fault = traceback.format_exc().strip().splitlines()
            return Outcome(
                name=name_of(seed),
                made_of=str(draw_recipe(seed)),
                recipe=asdict(draw_chip(seed)),
                result="fault",
                why=" | ".join(fault[-5:]),
            )


def results_of(seeds: Iterable[int], *, again: bool = False) -> list[dict[str, Any]]:
    """Return the outcome of each seed; those that have one at this code are not tried again."""
    STATE.mkdir(parents=True, exist_ok=True)
    state = STATE / f"{digest_of_code(*CODE)[:12]}.jsonl"
    lines = state.read_text(encoding="utf-8").splitlines() if state.exists() else []
    done = {each["name"]: each for each in map(json.loads, lines)}
    results = []
    for seed in seeds:
        if again or name_of(seed) not in done:
            outcome = safely(seed)
            print(outcome.line, flush=True)
            done[outcome.name] = asdict(outcome)
            with state.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
        results.append(done[name_of(seed)])
    return results


def main() -> None:
    """Run the seeds that have no result yet, and tell how many there are of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="of networks")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--seeds", type=int, nargs="*", help="these alone, and again")
    given = parser.parse_args()
    seeds = given.seeds or range(given.first, given.first + given.count)
    results = Counter(each["result"] for each in results_of(seeds, again=bool(given.seeds)))
    print(dict(results))
    sys.exit(bool(set(results) - {"equal", "refused"}))


if __name__ == "__main__":
    main()
