"""End commands at random moments, by kill -9, SIGTERM and Ctrl-C; scripts/kills calls it.

After each: no process of the command is alive, and the same command, given once more, ends with the
result of an unbroken run.
"""

import argparse
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
RECIPE = "recipe.yaml"
MARK = "HWGEN_KILLED_BY_TEST"
"""Environment variable whose value finds all processes of a command."""
ORPHAN_SECONDS = 5.0
SHORTER = 0.8
"""Moments of a command that ended before one come earlier: the machine is faster now."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CODES = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2)}
"""Negative ones while Python still imports the command."""
PHASES = ("float_phase", "pruned_phase", "quantized_phase")
NOT_A_RESULT = ("seconds", "reused", "versions", "started", "history", "work", "folder", "file")
"""Keys of reports that say how and where a command ran."""


@dataclass(frozen=True)
class Command:
    """A command that runs in a folder of its own; results: files that are its result.

    before: arguments of a command that runs first, once and unbroken
    keeps: what of its folder every moment begins with; None: all of it
    """

    arguments: Sequence[str]
    results: Sequence[str]
    before: Sequence[str] = ()
    keeps: Sequence[str] | None = None


TINY = str(CONFIGS / "dbpim/tiny.yaml")
SYNTHESIS = ("synthesize", "cifar_alexnet", "--power-w", "9", "--out", "out", "--work", "w")
RUN = ("run", str(CONFIGS / "networks/digits_small_cnn.npz"), TINY, "--engine", "rtl",
       "--images", "1", "--work", "w", "--json", "report.json")  # fmt: skip
SIMULATORS = "sim"
COMMANDS = {
    "train": Command(("train", RECIPE, "--out", "out", "--work", "w"), ("out/network.npz",)),
    "build": Command(RUN, ("report.json",)),
    "run": Command(RUN, ("report.json",), before=RUN, keeps=(SIMULATORS,)),
    "synthesize": Command(
        (*SYNTHESIS, "--evaluations", "400"),
        ("out/architecture.yaml", "out/schedule.npz"),
        before=(*SYNTHESIS, "--evaluations", "100"),
    ),
}
"""build: a run that compiles its simulator first; run finds it compiled."""


def prepared(folder: Path) -> Path:
    """Return a new folder with a recipe of few epochs."""
    folder.mkdir()
    recipe = yaml.safe_load((CONFIGS / "train/digits_small_cnn.yaml").read_text(encoding="utf-8"))
    recipe["epoch_batches"] = 6
    for phase in PHASES:
        recipe[phase] |= {"epochs": 3, "warmup_epochs": 0}
    (folder / RECIPE).write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return folder


def start(arguments: Sequence[str], folder: Path, mark: str) -> "subprocess.Popen[bytes]":
    """Start a command in a session of its own."""
    simulators = {"HWGEN_BUILD_ROOT": str(folder / SIMULATORS), "PYTHONPATH": str(ROOT), MARK: mark}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", SHELL, *arguments],
            cwd=folder,
            env={**os.environ, **simulators},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Ending:
    """How a command ended; wrong: what is wrong with that; seconds: since the signal.

    hit: it was running when the signal came
    """

    wrong: str | None
    seconds: float = 0.0
    hit: bool = True


SHELL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # lost by what runs in the background
from hwgen.cli import main
sys.exit(main())
"""


def finish(arguments: Sequence[str], folder: Path) -> float:
    """Run a command to its end; return its seconds."""
    began = time.monotonic()
    code = start(arguments, folder, "unbroken").wait()
    if code not in (0, 1):
        raise AssertionError(f"exit code {code}: {(folder / 'log').read_text()[-2000:]}")
    return time.monotonic() - began


def alive(mark: str) -> list[str]:
    """Return the processes with a mark in their environment."""
    found = []
    wanted = f"{MARK}={mark}".encode()
    for process in Path("/proc").iterdir():
        try:
            if not process.name.isdigit() or wanted not in (process / "environ").read_bytes():
                continue
            if ") Z " not in (process / "stat").read_text(errors="replace"):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{process.name} {command[:100].decode(errors='replace')}")
        except OSError:
            continue
    return found


def broken(command: Command, folder: Path, number: signal.Signals, moment: float) -> Ending:
    """Run a command and end it after some seconds."""
    mark = uuid.uuid4().hex
    running = start(command.arguments, folder, mark)
    try:
        code = running.wait(moment)
        wrong = None if code in (0, 1) else f"ended with {code} before the signal"
        return Ending(wrong, hit=False)
    except subprocess.TimeoutExpired:
        pass
    if number is signal.SIGINT:
        os.killpg(running.pid, number)  # as a terminal does
    else:
        running.send_signal(number)
    began = time.monotonic()
    while left := alive(mark):
        if time.monotonic() - began > ORPHAN_SECONDS:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            return Ending(f"alive after {ORPHAN_SECONDS:.0f} s: {'; '.join(left)}")
        time.sleep(0.05)
        running.poll()
    seconds = time.monotonic() - began
    code = running.wait()
    return Ending(None if code in (*CODES[number], 0, 1) else f"ended with {code}", seconds)


def digest(command: Command, folder: Path) -> str:
    """Return the sha256 of the result of a command."""
    sha = hashlib.sha256()
    for name in command.results:
        content = (folder / name).read_bytes()
        if name.endswith(".json"):
            content = json.dumps(result_of(json.loads(content)), sort_keys=True).encode()
        sha.update(content)
    return sha.hexdigest()


def result_of(report: Any) -> Any:
    """Return a report without what says how and where the command ran."""
    if isinstance(report, dict):
        return {
            key: result_of(value)
            for key, value in report.items()
            if not any(word in key for word in NOT_A_RESULT)
        }
    return [result_of(each) for each in report] if isinstance(report, list) else report


def kill(name: str, *, moments: int, seed: int, say: Callable[[str], None]) -> int:
    """End a command at random moments; return how often something was wrong.

    One that has ended before its moment is no moment, and is run again.
    """
    command, random, wrong = COMMANDS[name], Random(f"{seed}/{name}"), 0
    with tempfile.TemporaryDirectory() as scratch:
        begin = prepared(Path(scratch) / "begin")
        if command.before:
            finish(command.before, begin)
            keep(command, begin)
        whole = copied(begin, "whole")
        seconds = finish(command.arguments, whole)
        wanted = digest(command, whole)
        shutil.rmtree(whole)
        say(f"{name}: {seconds:.1f} s unbroken, result {wanted[:16]}")
        signals, left = itertools.cycle(SIGNALS), moments
        while left:
            number, moment = next(signals), random.uniform(0.05, 1) * seconds
            folder = copied(begin, "broken")
            ending = broken(command, folder, number, moment)
            left -= ending.hit
            rest = finish(command.arguments, folder)
            said = ending.wrong
            if said is None and digest(command, folder) != wanted:
                said = "another result"
            wrong += said is not None
            shutil.rmtree(folder)
            place = f"{number.name} after {moment:.1f} s" if ending.hit else "ended before"
            say(
                f"{name}, {place}, gone in {ending.seconds:.1f} s, then {rest:.1f} s: "
                f"{said or 'equal'}"
            )
            seconds = max(seconds, rest) if ending.hit else seconds * SHORTER
    say(f"{name}: {moments} moments, {wrong} wrong, result {wanted[:16]}")
    return wrong


def keep(command: Command, folder: Path) -> None:
    """Remove from a folder what the moments of a command do not begin with."""
    for path in folder.iterdir():
        if command.keeps is None or path.name in (RECIPE, *command.keeps):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def copied(folder: Path, name: str) -> Path:
    """Return a copy of a folder beside it."""
    return Path(shutil.copytree(folder, folder.with_name(name), symlinks=True))


def main(given: Sequence[str]) -> int:
    """End the commands; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="scripts/kills", description=__doc__)
    parser.add_argument("--moments", type=int, default=20, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", action="append", choices=COMMANDS, help="default: all")
    chosen = parser.parse_args(given)
    wrong = sum(
        kill(
            name, moments=chosen.moments, seed=chosen.seed, say=lambda text: print(text, flush=True)
        )
        for name in chosen.command or COMMANDS
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
