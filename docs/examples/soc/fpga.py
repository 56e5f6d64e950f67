"""A chip in the LiteX system, placed and routed on an FPGA board: `scripts/fpga ARCH`.

Writes chip, network and firmware below a folder, puts them into the system on the board, and runs
Yosys, nextpnr and ecppack on it. Ends with 0 when the system is fast enough for its clock, with 1
when it is not or a tool fails, and with 2 for what is missing or cannot be.
"""

import argparse
import importlib.util
import json
import shutil
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import yaml
from routed import Figures, Routed, figures_of, lines_of, record
from run import check_tools, write
from simulate import HERE, run

from hwgen.commands.families import architecture_file
from hwgen.commands.origin import commit
from hwgen.errors import ConfigError, HwgenError, MissingToolError
from hwgen.files.output import write_text
from hwgen.files.yaml_file import read_mapping

ROOT = HERE.parents[2]
BOARDS = {"ulx3s": ("--85k", "--package", "CABGA381", "--speed", "6")}
"""How nextpnr calls the part of a board; board.py knows the rest."""
ROM_BYTES, RAM_BYTES = 1 << 16, 1 << 17
SYNTHESIS = """
from pyosys import libyosys as y
design = y.Design()
y.run_pass("script soc.ys", design)
y.run_pass("tee -q -o soc.stat.json stat -json", design)
"""
SLOWEST_MHZ, FASTEST_MHZ = 10.0, 200.0


def find(tool: str) -> str:
    """Return a tool of the FPGA: a native one on the path, or the one that pip installs."""
    beside = Path(sys.executable).with_name(f"yowasp-{tool}")
    found = shutil.which(tool) or shutil.which(beside)
    if found is None:
        raise MissingToolError(f"{tool} is needed: pip install 'hwgen[fpga]'")
    return found


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be, and a machine without the tools."""
    mhz = arguments.mhz
    if not SLOWEST_MHZ <= mhz <= FASTEST_MHZ:
        allowed = f"{SLOWEST_MHZ:g} to {FASTEST_MHZ:g}"
        raise ConfigError(field="--mhz", allowed=allowed, given=mhz, source="command line")
    architecture_file(Path(arguments.arch))
    for package in ("pyosys", "litex_boards"):
        if importlib.util.find_spec(package) is None:
            raise MissingToolError(f"{package} is needed: pip install 'hwgen[fpga]'")
    check_tools()
    find("nextpnr-ecp5")
    find("ecppack")


def architecture(file: Path, cells: str | None, out: Path) -> tuple[Path, str | None]:
    """Return the file of the architecture and its field `cells`.

    With cells it is a copy below out that has this value.
    """
    plain = read_mapping(file)
    if cells is None:
        return file, plain.get("cells")
    out.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**plain, "cells": cells}, sort_keys=False)
    write_text(out / "arch.yaml", text, what="architecture")
    return out / "arch.yaml", cells


def put_together(arguments: argparse.Namespace, chip: Path, network: Path, out: Path) -> Path:
    """Compile the firmware and write the system of the board; return its folder."""
    firmware, system = out / "firmware", out / "system"
    places = (f"CHIP={chip}", f"NETWORK={network}", f"OUT={firmware}")
    memory = f"DEFINES=-DRAM_BYTES={RAM_BYTES}u"
    run("make", "-B", "-s", "-f", HERE / "firmware/Makefile", *places, memory)
    binary = firmware / "firmware.bin"
    size = binary.stat().st_size
    if size > ROM_BYTES:
        allowed = f"one whose firmware has at most {ROM_BYTES} bytes"
        raise ConfigError(field="NETWORK", allowed=allowed, given=size, source=str(binary))
    memories = (ROM_BYTES, RAM_BYTES)
    board = (sys.executable, HERE / "board.py", arguments.board)
    run(*board, chip, binary, system, arguments.mhz, *memories)
    return system


def step(name: str, *command: object, system: Path) -> float:
    """Run a tool in the folder of the system, what it says to a file; return its CPU seconds."""
    print(f"{name}: {system / f'{name}.log'}", flush=True)
    before = getrusage(RUSAGE_CHILDREN)
    said = run(*command, cwd=system)
    after = getrusage(RUSAGE_CHILDREN)
    (system / f"{name}.log").write_text(said, encoding="utf-8")
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(taken, 1)


def build(arguments: argparse.Namespace, system: Path) -> tuple[Figures, dict[str, float]]:
    """Synthesize, place, route; a bitstream if the clock is met. Return figures, CPU seconds."""
    part, seed = BOARDS[arguments.board], ("--seed", arguments.seed)
    texts = ("--json", "soc.json", "--lpf", "soc.lpf", "--report", "soc.report.json")
    allowed = ("--timing-allow-fail", "--textcfg", "soc.config")
    seconds = {}
    seconds["synthesis"] = step("synthesis", sys.executable, "-c", SYNTHESIS, system=system)
    route = (find("nextpnr-ecp5"), *part, *texts, *allowed, *seed)
    seconds["routing"] = step("routing", *route, system=system)
    found = figures_of(
        json.loads((system / "soc.stat.json").read_text(encoding="utf-8")),
        json.loads((system / "soc.report.json").read_text(encoding="utf-8")),
        source=str(system / "soc.report.json"),
    )
    if found.mhz >= found.wanted_mhz:
        bitstream = (find("ecppack"), "--compress", "soc.config", "soc.bit")
        seconds["bitstream"] = step("bitstream", *bitstream, system=system)
        print(f"bitstream: {system / 'soc.bit'}")
    return found, seconds


def routed(arguments: argparse.Namespace, out: Path) -> Routed:
    """Do all steps; return what became of them."""
    given = architecture_file(Path(arguments.arch)).resolve()
    arguments.arch, cells = architecture(given, arguments.cells, out)
    system = put_together(arguments, *write(arguments, out), out)
    figures, seconds = build(arguments, system)
    tools = {package: version(package) for package in ("pyosys", "litex", "litex-boards")}
    said = run(find("nextpnr-ecp5"), "--version")
    return Routed(
        arch=str(given.relative_to(ROOT) if given.is_relative_to(ROOT) else given),
        cells=cells,
        network=arguments.network,
        board=arguments.board,
        seed=arguments.seed,
        commit=commit(),
        tools={**tools, "nextpnr": said.strip().rpartition("nextpnr-")[2].rstrip(")")},
        cpu_seconds=seconds,
        figures=figures,
    )


def options() -> argparse.ArgumentParser:
    """Return what the command takes."""
    parser = argparse.ArgumentParser(prog="scripts/fpga", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "arch",
        nargs="?",
        default=str(HERE / "fpga.yaml"),
        help="default: fpga.yaml beside this file",
    )
    parser.add_argument("--network", default="digits_small_cnn", help="default: digits_small_cnn")
    parser.add_argument("--board", choices=BOARDS, default="ulx3s", help="default: ulx3s")
    parser.add_argument("--cells", help="another `cells` than in the file: combinational, ...")
    parser.add_argument("--mhz", type=float, default=30.0, help="clock of the system (30)")
    parser.add_argument("--seed", type=int, default=1, help="of the placement (1)")
    parser.add_argument("--out", type=Path, help="folder (default: one below build/fpga)")
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    parser.add_argument("--record", action="store_true", help="write docs/fpga.json and its page")
    parser.set_defaults(images=4, mode=None, wrong_answer=False)
    return parser


def main() -> int:
    """Run all steps; return the exit code."""
    arguments = options().parse_args()
    name = "-".join(filter(None, (Path(arguments.arch).stem, arguments.cells, arguments.board)))
    out = (arguments.out or Path("build/fpga") / name).resolve()
    try:
        check(arguments)
        done = routed(arguments, out)
        print("\n".join(lines_of(done)))
        if arguments.json:
            write_text(arguments.json, json.dumps(asdict(done), indent=1) + "\n", what="figures")
        if arguments.record:
            record(done)
        return 0 if done.figures.mhz >= done.figures.wanted_mhz else 1
    except HwgenError as error:
        print(f"fpga: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"fpga: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
