"""A sample of mutated files and options in the default tests; all of them in the long ones."""

import re
import subprocess
import sys

import pytest

from tests.fuzz.run import COUNT

SAMPLE = 60
LINE = re.compile(r"^ *(\d+) \w+: (.*)$", re.MULTILINE)


@pytest.mark.dear
@pytest.mark.promise(
    "mutated files and options end in order or with one bounded sentence, in little time and memory"
)
@pytest.mark.parametrize("count", [SAMPLE, pytest.param(COUNT, marks=pytest.mark.long, id="all")])
def test_no_file_and_no_option_is_a_fault(count: int) -> None:
    """In a process of its own: the limits on memory go beyond what that has reserved."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", "--count", str(count)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [(int(number), end) for number, end in LINE.findall(done.stdout)]
    assert sum(number for number, _ in counts) == count
    assert {end for _, end in counts} == {"exit code 0", "exit code 2"}
