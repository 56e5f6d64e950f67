"""`scripts/test` leaves dear tests out, and `--dear` runs them alone."""

from pathlib import Path

import pytest

from tests import plugin

pytest_plugins = ("pytester",)
MODULE = """
import pytest

@pytest.mark.dear
def test_dear(): pass

@pytest.mark.dear("small")
@pytest.mark.parametrize("size", ["small", "large"])
def test_sizes(size): pass

def test_cheap(): pass

@pytest.mark.long
@pytest.mark.dear
def test_long(): pass
"""
INI = "[pytest]\nmarkers =\n long\n formal\n given_arch\n dear\n promise\n"
DEAR, CHEAP = {"test_dear", "test_sizes[large]"}, {"test_cheap", "test_sizes[small]"}


@pytest.mark.parametrize(
    ("option", "ran"),
    [((), DEAR | CHEAP), (("--landing",), CHEAP), (("--dear",), DEAR)],
    ids=["by hand", "landing", "dear"],
)
def test_which_run(pytester: pytest.Pytester, option: tuple[str, ...], ran: set[str]) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(MODULE)
    result = pytester.inline_run("-p", plugin.__name__, *option)
    passed, skipped, failed = result.listoutcomes()
    assert {Path(report.nodeid).name.rpartition("::")[2] for report in passed} == ran
    assert not skipped
    assert not failed


def test_parameters_that_are_kept_exist(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(MODULE.replace('dear("small")', 'dear("little")'))
    result = pytester.runpytest_inprocess("-p", plugin.__name__, "--landing")
    result.stderr.fnmatch_lines(["*test_sizes: @pytest.mark.dear names parameters it lacks*"])
