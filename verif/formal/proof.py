"""What a proof consists of, and how Yosys decides it."""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.chip.sim.simulator import ASSERTIONS
from verif.yosys import run_yosys

PROPERTIES = Path(__file__).parent / "properties"
TOP = "properties"
MEMORY_FILE = "memory.v"
"""What properties include to see memories."""
WITH_ASSERTIONS = ASSERTIONS[-1]
"""The macro that switches the assertions of emitted Verilog on."""

# Words of memories become registers with names of their own before the hierarchy goes, so that
# properties may name them; a name that nothing drives is an error, not a free value.
PREPARE = f"""
hierarchy -check -top {TOP}
proc
{{alone}}
memory_collect
memory_map
flatten -noscopeinfo
check -assert
setundef -anyseq
async2sync
chformal -cover -remove
chformal -lower
opt -full
opt_clean
"""
ALONE = f"chformal -assert -remove {TOP}"
"""Leaves the assertions that stand in the part's own Verilog."""


class Answer(Enum):
    """What Yosys found: the properties hold, a run breaks them, or neither is known."""

    HOLDS = "holds"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a property is proved for every run, of any length.

    kind: "combinational": all values of the inputs; "bounded": all runs of so many cycles from
        reset, with `why` no longer one can do anything new; "induction": the runs of so many
        cycles from reset, and one more cycle after so many in any state
    cycles: of a bounded run, or the most of an induction
    why: a bounded run is enough
    """

    kind: str
    cycles: int = 0
    why: str = ""

    def __post_init__(self) -> None:
        if (self.kind == "bounded") != bool(self.why):
            raise ValueError("a bounded method, and no other, must say why its bound is enough")

    @property
    def command(self) -> str:
        """Return the command of Yosys that proves."""
        if self.kind == "combinational":
            return "sat -prove-asserts -set-assumes"
        if self.kind == "bounded":
            return refuting(self.cycles)
        return f"sat -tempinduct -prove-asserts -set-assumes -maxsteps {self.cycles}"


def refuting(cycles: int) -> str:
    """Return the command of Yosys that looks for a run from reset that breaks a property."""
    return f"sat -tempinduct-baseonly -prove-asserts -set-assumes -maxsteps {cycles}"


COMBINATIONAL = Method(kind="combinational")


def induction(cycles: int) -> Method:
    """Return the induction over at most so many cycles."""
    return Method(kind="induction", cycles=cycles)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A text of the emitted Verilog, which must occur in `module`, and what replaces it.

    cycles: within which a run from reset breaks a property; without registers 0
    """

    module: str
    old: str
    new: str
    cycles: int = 0

    def planted(self, modules: Mapping[str, str]) -> dict[str, str]:
        """Return the modules with the fault in the first place where its text stands."""
        text = modules[self.module]
        if self.old not in text:
            raise ValueError(f"{self.module} must hold {self.old!r}, got a text without it")
        return {**modules, self.module: text.replace(self.old, self.new, 1)}


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A memory inside a part, which properties see as one value, its word 0 lowest.

    name: of that value; path: of the memory below the part, such as `words.content`
    """

    name: str
    path: str
    depth: int
    width: int

    def seen(self) -> str:
        """Return the declaration of the value in Verilog."""
        names = [f"\\dut.{self.path}[{index}] " for index in range(self.depth)]
        lines = [f"(* hierconn *) wire [{self.width - 1}:0] {name};" for name in names]
        bits = self.depth * self.width
        return "\n".join(
            [*lines, f"wire [{bits - 1}:0] {self.name} = {{{', '.join(reversed(names))}}};"]
        )


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Properties of a part at a size, in Verilog, the method that proves them, and a fault.

    part: makes the part; properties: name of a file of `PROPERTIES`, with a module `properties`
        that places the part as ```PART`` and asserts
    size: the part's, in words; sizes: macros for the properties
    memories: which the properties see, by including ``memory.v``
    more: further faults, each of which must break a property, too
    assertions: those of the part's own Verilog are proved, too; not where they need what the
        properties do not assume of its neighbours
    """

    part: Callable[[], Part]
    properties: str
    size: str
    method: Method
    fault: Fault
    sizes: Mapping[str, int] = field(default_factory=dict)
    memories: Sequence[Memory] = ()
    more: Sequence[Fault] = ()
    assertions: bool = True

    def modules(self) -> dict[str, str]:
        """Return the emitted Verilog by module, the part last."""
        return dict(emitted(self.part))

    def holds(self) -> Answer:
        """Return what Yosys finds about the part as it is emitted, its own assertions among it."""
        return self._decide(self.modules(), self.method.command)

    def breaks(self, fault: Fault) -> Answer:
        """Return what Yosys finds about the part's own assertions alone with a fault in it."""
        return self._decide(fault.planted(self.modules()), refuting(fault.cycles), alone=ALONE)

    def refutes(self) -> Answer:
        """Return `REFUTED` if each fault breaks a property, else what Yosys finds about one."""
        for fault in (self.fault, *self.more):
            command = refuting(fault.cycles) if fault.cycles else COMBINATIONAL.command
            answer = self._decide(fault.planted(self.modules()), command)
            if answer is not Answer.REFUTED:
                return answer
        return Answer.REFUTED

    def _decide(self, modules: Mapping[str, str], command: str, *, alone: str = "") -> Answer:
        given = {"PART": [*modules][-1], **self.sizes}
        macros = " ".join(f"-D{name}={value}" for name, value in given.items())
        with_own = f"-formal {WITH_ASSERTIONS}" if self.assertions else ""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for name, text in modules.items():
                (folder / f"{name}.v").write_text(text, encoding="utf-8")
            seen = "\n".join(memory.seen() for memory in self.memories)
            (folder / MEMORY_FILE).write_text(seen, encoding="utf-8")
            files = " ".join(f"{name}.v" for name in modules)
            said = run_yosys(
                f"read_verilog -formal -sv -I{PROPERTIES} {macros} {PROPERTIES / self.properties}\n"
                f"read_verilog -sv {with_own} {files}\n"
                f"{PREPARE.format(alone=alone)}{command}\n",
                folder,
                what=f"the properties of {self.properties}",
            )
        return answer_of(said)


@cache
def emitted(part: Callable[[], Part]) -> tuple[tuple[str, str], ...]:
    """Return the Verilog of a part and of all below it, the part last."""
    return tuple(verilog_modules(part()).items())


def answer_of(said: str) -> Answer:
    """Return what the last lines of Yosys say."""
    verdicts = re.findall(r"model found(?: for base case)?: FAIL!|SUCCESS!|proof failed", said)
    if not verdicts:
        raise ValueError(f"Yosys must say what it found, got {said[-2000:]}")
    last = verdicts[-1]
    if last == "SUCCESS!":
        return Answer.HOLDS
    return Answer.UNKNOWN if last == "proof failed" else Answer.REFUTED
