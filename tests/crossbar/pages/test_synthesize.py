"""A synthesis from a request to the files, with a search that needs no time."""

import io
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hwgen.commands.context import Context
from hwgen.commands.synthesis import Synthesize
from hwgen.crossbar.facts import load_arch
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.schedule import load_schedule
from hwgen.crossbar.model.least import least_power_w, nothing_below_w
from hwgen.crossbar.pages.networks import load_network
from hwgen.crossbar.pages.searching import seen, told
from hwgen.crossbar.pages.synthesis_files import FILES
from hwgen.crossbar.pages.synthesize import synthesize_network
from hwgen.crossbar.synthesis.first_look import FirstLook
from hwgen.crossbar.synthesis.result import Progress, SearchResult
from hwgen.errors import ConfigError, DesignError, OutputError
from tests.onnx_graphs import conv, model, node
from tests.synthesis import COMPONENTS_FILE, replace_search, result_of_one

NETWORK = "cifar_alexnet"
POWER_W = 12.0

Change = Callable[[SearchResult], SearchResult | None]


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Put a search in the place of ours that knows one design."""

    def use(change: Change) -> None:
        def synthesize(
            network: CrossbarNetwork, components: Components, *, power_w: float, **_: Any
        ) -> SearchResult | None:
            return change(result_of_one(network, components, power_w))

        replace_search(monkeypatch, synthesize)

    use(lambda found: found)
    return use


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., Synthesize]:
    """Ask for something that can be had, with some things changed."""

    def ask(**changes: Any) -> Synthesize:
        given = Synthesize(
            network=NETWORK,
            power_w=POWER_W,
            components=COMPONENTS_FILE,
            rules="strict",
            seed=1,
            evaluations=None,
            workers=1,
            scheduler=None,
            time_limit_s=None,
            out=tmp_path / "out",
        )
        return replace(given, **changes)

    return ask


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(work=tmp_path / "work", console=None)


pytestmark = pytest.mark.usefixtures("searched")


@pytest.mark.promise("files are written whole or not at all, and belong together")
def test_all_files_belong_together(
    context: Context, request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    made = synthesize_network(context, request_of())
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    arch = load_arch(tmp_path / "out/architecture.yaml")
    schedule = load_schedule(tmp_path / "out/schedule.npz", arch)
    assert arch == made.arch
    assert made.report.architecture_digest == arch.digest
    assert made.report.schedule_digest == schedule.digest
    assert made.report.network.digest == arch.network.digest == schedule.facts.network


@pytest.mark.promise(
    "products, factors of channels, slices, functions, dilation and unequal sides become layers"
)
def test_products_and_unequal_sides_are_in_the_files(
    request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    """The architecture holds the whole network, from a file that leaves sides of its image open.

    That no Verilog is made of it is said before the search.
    """
    said = io.StringIO()
    context = Context(work=tmp_path / "work", console=Console(file=said, width=200))
    made = model(
        conv("x", "a", dilations=[2, 1], pads=[2, 1, 2, 1], strides=[1, 2]),
        node("GlobalAveragePool", "a", "m"),
        conv("m", "c", "point", pads=[0] * 4),
        node("Sigmoid", "c", "g"),
        node("Mul", "a g", "z"),
        image=("n", 4, "rows", 12),
        weights={"point": (4, 4, 1, 1)},
    )
    path = tmp_path / "gated.onnx"
    path.write_bytes(made.SerializeToString())
    synthesize_network(context, request_of(network=str(path), image_size=(4, 8, 12)))
    first = said.getvalue().splitlines()[0]
    assert first.startswith("the chip will have a price, but no Verilog: layer a must be without")
    arch = load_arch(tmp_path / "out/architecture.yaml")
    network = load_network(str(path), (4, 8, 12))
    assert arch.whole_network == network
    assert arch.network.digest == network.digest
    assert network.layers[0].columns is not None and network.layers[3].product
    with pytest.raises(ConfigError, match="rules must be strict where maps or windows"):
        synthesize_network(
            context, request_of(network=str(path), image_size=(4, 8, 12), rules="published")
        )


@pytest.mark.dear
def test_the_same_bytes_in_another_folder(
    context: Context, request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    synthesize_network(context, request_of())
    synthesize_network(context, request_of(out=tmp_path / "again", workers=2))
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.dear
def test_an_earlier_output_is_replaced_and_nothing_else(
    context: Context, request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    synthesize_network(context, request_of())
    synthesize_network(context, request_of())
    (tmp_path / "out/thesis.tex").touch()
    with pytest.raises(OutputError, match=r"thesis\.tex"):
        synthesize_network(context, request_of())
    assert (tmp_path / "out/architecture.yaml").exists()


def test_without_a_folder_it_goes_to_work(
    context: Context, request_of: Callable[..., Synthesize]
) -> None:
    made = synthesize_network(context, request_of(out=None))
    assert made.folder == context.work / "synthesis/cifar_alexnet-12w-strict"
    assert (made.folder / "report.json").exists()


@pytest.mark.dear("False")
@pytest.mark.parametrize("cold", [True, False])
def test_a_search_that_will_compile_is_told_of(
    *,
    cold: bool,
    tmp_path: Path,
    request_of: Callable[..., Synthesize],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hwgen.crossbar.synthesis.compiling.must_compile", lambda: cold)
    said = io.StringIO()
    synthesize_network(Context(work=tmp_path / "work", console=Console(file=said)), request_of())
    assert said.getvalue().count("the search is compiled once") == cold
    assert said.getvalue().count("one copy of the weights of") == cold


@pytest.mark.parametrize("power_w", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_no_power(context: Context, request_of: Callable[..., Synthesize], power_w: float) -> None:
    with pytest.raises(
        ConfigError, match=r"power.w must be (above 0 and at most 1,000,000|a finite number), got"
    ):
        synthesize_network(context, request_of(power_w=power_w))


def test_too_little_power(
    searched: Callable[[Change], None],
    context: Context,
    request_of: Callable[..., Synthesize],
    tmp_path: Path,
) -> None:
    searched(lambda _: None)
    with pytest.raises(DesignError, match="more --evaluations"):
        synthesize_network(context, request_of())
    assert not (tmp_path / "out").exists()


@pytest.mark.promise("a power budget below any design is refused at once with watts that would do")
def test_a_hopeless_budget_is_refused_before_a_search(
    searched: Callable[[Change], None],
    context: Context,
    request_of: Callable[..., Synthesize],
) -> None:
    """And the power that is named would do."""
    searched(lambda _: pytest.fail("nothing is searched"))
    with pytest.raises(ConfigError, match=r"--power-w must be at least [\d.]+ for one copy") as no:
        synthesize_network(context, request_of(power_w=0.1))
    least = float(re.search(r"at least ([\d.]+)", str(no.value))[1])  # type: ignore[index]
    network = load_network(NETWORK, None)
    components = load_components(COMPONENTS_FILE)
    assert nothing_below_w(network, components, STRICT) <= least
    assert least_power_w(network, components, STRICT) == least


@pytest.mark.parametrize(
    ("least", "allowed"),
    [(0.171, "at least 0.171 for one copy"), (None, "above the 0.15 that every design of")],
)
def test_a_hopeless_budget_is_refused_before_anything_is_compiled(
    context: Context,
    request_of: Callable[..., Synthesize],
    monkeypatch: pytest.MonkeyPatch,
    least: float | None,
    allowed: str,
) -> None:
    cold = "hwgen.crossbar.synthesis.compiling"
    monkeypatch.setattr(f"{cold}.must_compile", lambda: True)
    monkeypatch.setattr(f"{cold}.compile_once", lambda _: pytest.fail("nothing is compiled"))
    look = FirstLook(nothing_below_w=0.15, least_w=least, gops_per_w=0.0)
    monkeypatch.setattr("hwgen.crossbar.synthesis.first_look.first_look", lambda *_, **__: look)
    with pytest.raises(ConfigError, match=f"--power-w must be {allowed}"):
        synthesize_network(context, request_of(power_w=0.1))


@pytest.mark.promise(
    "a search counts why it refused designs; report and refusal of a budget say it"
)
def test_a_refusal_says_why_no_design_was_taken() -> None:
    assert seen(None) == seen({}) == ""
    refused = {"scratchpads too small": 50, "over the budget": 150}
    assert seen(refused) == " (of 200 designs 75% over the budget, 25% scratchpads too small)"


@pytest.mark.promise(
    "a synthesis tells of a design that fits before it searches, and of what becomes better"
)
def test_what_becomes_better_is_printed() -> None:
    """With its bound and gap; what is as good as before is not."""
    said = io.StringIO()
    tell = told(Context(console=Console(file=said)), lambda _: None, "image")
    for evaluations, best, bound in (
        (0, 0.0, 900.0),
        (0, 100.0, 900.0),
        (10, 100.0, 899.9),
        (20, 500.0, 899.9),
        (30, 500.0, 600.0),
        (40, 500.1, 600.0),
        (50, 510.0, math.inf),
    ):
        tell(Progress(evaluations=evaluations, best_gops_per_w=best, bound_gops_per_w=bound))
    assert said.getvalue().splitlines() == [
        "0 evaluations, best 100.0 GOPS/W, bound 900.0, gap 800.0%",
        "20 evaluations, best 500.0 GOPS/W, bound 899.9, gap 80.0%",
        "30 evaluations, best 500.0 GOPS/W, bound 600.0, gap 20.0%",
        "50 evaluations, best 510.0 GOPS/W",
    ]


def test_a_search_that_lies_is_caught(
    searched: Callable[[Change], None],
    context: Context,
    request_of: Callable[..., Synthesize],
    tmp_path: Path,
) -> None:
    searched(lambda found: replace(found, best=replace(found.best, efficiency_gops_per_w=999.0)))
    with pytest.raises(DesignError, match=r"must reach 999\.0 GOPS/W"):
        synthesize_network(context, request_of())
    assert not (tmp_path / "out").exists()


def test_a_missing_constant(
    context: Context, request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    text = COMPONENTS_FILE.read_text(encoding="utf-8").replace("leakage_w: 13.6025e-3, ", "")
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"scratchpads\.capacities\.6\.leakage_w must be present"):
        synthesize_network(context, request_of(components=tmp_path / "c.yaml"))


@pytest.mark.promise("bad input to a synthesis is one sentence")
def test_no_adc_fits(
    context: Context, request_of: Callable[..., Synthesize], tmp_path: Path
) -> None:
    lines = COMPONENTS_FILE.read_text(encoding="utf-8").splitlines()
    left = [line for line in lines if "samples_per_ns" not in line or "{bits: 4," in line]
    (tmp_path / "c.yaml").write_text("\n".join(left), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"adcs\.resolutions must be at least one.*got 4 bits"):
        synthesize_network(context, request_of(components=tmp_path / "c.yaml"))
