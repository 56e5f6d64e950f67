"""Options and fixtures that every test may use."""

import os

import pytest

from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.chip.sim.waves import Waves
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.synthesis.compiling import compile_once
from hwgen.files import patience
from tests.rules import named
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
    group.addoption("--waves", action="store_true", help="write waves (slow, a build of its own)")
    group.addoption("--waves-from", type=int, default=0, metavar="CYCLE", help="first cycle")
    group.addoption("--waves-to", type=int, default=None, metavar="CYCLE", help="last cycle")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out unless the person asked for them."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name rules in the names of tests."""
    return named(val) if isinstance(val, Rules) else None


COMPILED = ("tests/crossbar/synthesis", "tests/crossbar/model", "tests/crossbar/pages", "tests/e2e")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let one of all workers compile what tests of crossbar chips call; the others wait."""
    if item.nodeid.startswith(COMPILED) and ("crossbar" in item.nodeid or "synth" in item.nodeid):
        compile_once()


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
