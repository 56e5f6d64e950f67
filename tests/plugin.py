"""Options and fixtures that every test may use."""

import os
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from hwgen.chip.protocols import Architecture
from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.chip.sim.waves import Waves
from hwgen.commands.families import load_architecture
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.synthesis.compiling import compile_once
from hwgen.files import patience
from tests import garbage, kept_benches
from tests.rules import named
from verif.coverage import TOLD
from verif.cpu import cpu_seconds
from verif.runner import REPLACED
from verif.testplan import CPU_SECONDS, PROMISE
from verif.toolchain import BUILD_ROOT, has_icarus

# Every test finds the simulators that others have built, whatever its --work.
os.environ[ENVIRONMENT] = str(BUILD_ROOT)
# Threads of torch that wait for work must not keep the tests beside theirs from a processor.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# On a busy machine any step may take long enough to say so.
patience.FIRST_SECONDS = 600.0


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hwgen")
    group.addoption("--long", action="store_true", help="run the tests marked long too")
    group.addoption("--formal", action="store_true", help="run the tests marked formal too")
    group.addoption("--landing", action="store_true", help="leave out the tests marked dear")
    group.addoption("--dear", action="store_true", help="run the tests alone that --landing leaves")
    group.addoption("--fresh", action="store_true", help="run benches too that passed before")
    group.addoption("--arch", metavar="FILE", help="run each bench at the sizes of this chip alone")
    group.addoption("--replace", metavar="PART=FILE", help="with memories of yours, and --arch")
    group.addoption("--waves", action="store_true", help="write waves (slow, a build of its own)")
    group.addoption("--waves-from", type=int, default=0, metavar="CYCLE", help="first cycle")
    group.addoption("--waves-to", type=int, default=None, metavar="CYCLE", help="last cycle")


DEAR = "dear"
"""Mark of a test that costs more than it alone tells; its arguments are parameters to keep."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the person did not ask for."""
    given = config.getoption("--arch") is not None
    if given:
        os.environ[TOLD] = "1"
    if config.getoption("--replace"):
        os.environ[REPLACED] = config.getoption("--replace")
    if not config.getoption("--fresh"):
        kept_benches.install()
    other = {item for item in items if bool(item.get_closest_marker("given_arch")) != given}
    config.hook.pytest_deselected(items=[item for item in items if item in other])
    items[:] = [item for item in items if item not in other]
    left_out = set(left_out_by(config, items))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def left_out_by(config: pytest.Config, items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests that the options leave out: long ones, proofs, dear ones or all others."""
    kinds = {"long"} if config.getoption("--formal") else {"long", "formal"}
    if config.getoption("--long"):
        kinds = set()
    landing, dear_alone = config.getoption("--landing"), config.getoption("--dear")
    if landing:
        spared_exist(items)
    for item in items:
        dear = is_dear(item)
        unasked = landing if dear else dear_alone
        if unasked or any(map(item.get_closest_marker, kinds)):
            yield item


def parameters_of(item: pytest.Item) -> str:
    """Return the parameters of a test as its name has them; empty: it has none."""
    return item.callspec.id if hasattr(item, "callspec") else ""


def is_dear(item: pytest.Item) -> bool:
    """Return whether `scripts/test` leaves a test out: by marks, which may spare parameters."""
    return any(parameters_of(item) not in mark.args for mark in item.iter_markers(DEAR))


def spared_exist(items: Sequence[pytest.Item]) -> None:
    """Stop where a mark spares parameters that its test no longer has."""
    found: dict[str, set[str]] = defaultdict(set)
    spared: dict[str, set[str]] = defaultdict(set)
    for item in items:
        test = item.nodeid.partition("[")[0]
        found[test].add(parameters_of(item))
        for mark in item.iter_markers(DEAR):
            spared[test].update(mark.args)
    for test, names in spared.items():
        if lost := sorted(names - found[test]):
            raise pytest.UsageError(f"{test}: @pytest.mark.dear names parameters it lacks: {lost}")


def promises_of(item: pytest.Item) -> Iterator[str]:
    """Yield what a test keeps: by its marks, and by its parameters or their first word."""
    for mark in item.iter_markers(PROMISE):
        yield from mark.args
    by_parameters = getattr(getattr(item, "module", None), "PROMISES", {})
    if hasattr(item, "callspec") and by_parameters:
        whole = parameters_of(item)
        yield from by_parameters.get(whole, by_parameters.get(whole.partition("-")[0], ()))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Write what a test keeps into its result."""
    item.user_properties += [(PROMISE, promise) for promise in promises_of(item)]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name rules in the names of tests."""
    return named(val) if isinstance(val, Rules) else None


COMPILED = (
    "tests/crossbar/model",
    "tests/crossbar/pages",
    "tests/crossbar/synthesis",
    "tests/e2e",
    "studies/tests/pimsyn_paper",
)
SEARCHING = ("crossbar", "pimsyn", "synth")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let one of all workers compile what tests of crossbar chips call; the others wait."""
    searches = any(word in item.nodeid for word in SEARCHING)
    if item.nodeid.startswith(COMPILED) and searches:
        compile_once()


BEGAN = pytest.StashKey[float]()
"""Processor seconds of this process and its children before a test."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember when a test began."""
    item.stash[BEGAN] = cpu_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Write what a test took, with its fixtures, into the results."""
    result = yield
    garbage.collect_what_grew()
    item.user_properties.append((CPU_SECONDS, f"{cpu_seconds() - item.stash[BEGAN]:.2f}"))
    return result


@pytest.fixture
def given_arch(request: pytest.FixtureRequest) -> Architecture:
    """The architecture of --arch; a chip of another family skips."""
    family, arch = load_architecture(Path(request.config.getoption("--arch")))
    if f"/{family.name}/" not in request.node.nodeid:
        pytest.skip(f"the architecture is of the family {family.name}")
    return arch


@pytest.fixture
def waves(request: pytest.FixtureRequest) -> Waves | None:
    """The window of cycles whose waves the person asked for, if any."""
    first, last = (request.config.getoption(name) for name in ("--waves-from", "--waves-to"))
    asked = request.config.getoption("--waves") or first or last is not None
    return Waves(first=first, last=last) if asked else None


@pytest.fixture
def icarus() -> str:
    """The name of the second simulator; skips where it is not installed."""
    if not has_icarus():
        pytest.skip("Icarus Verilog is not installed (apt-get install iverilog)")
    return "icarus"
