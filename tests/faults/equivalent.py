"""Whether a fault changes nothing: the module with it against the module without, by Yosys' SAT.

Both get the same inputs, the same values in all registers, and the same outputs of what they place;
proved is that outputs, next values of all registers, and inputs of what they place are the same. So
no run tells them apart, whatever the state. Other signals inside may differ: they are hidden, as
`expose` makes an output of each that has a name.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hwgen.errors import DesignError
from verif.formal.proof import Answer, answer_of
from verif.schemata import Fault, faulty
from verif.yosys import run_yosys

SECONDS = 60
"""Of the solver, after which nothing is known."""
WITHOUT, WITH = "without_fault", "with_fault"
SOLVE = "sat -timeout {seconds} -prove-asserts -set-assumes\n"
EXPOSE = f"""
proc
memory_collect
memory_map
opt_clean
rename -hide w:* t:$dff %x1:+[Q] %d
expose -evert-dff -evert {WITHOUT} {WITH}
"""
MITER = f"""
miter -equiv -make_assert -flatten {WITHOUT} {WITH} both
hierarchy -top both
flatten
opt -full
"""
INSTANCE = re.compile(r"^  (\w+) \S+ +\($", re.MULTILINE)


def equivalent(fault: Fault, modules: Mapping[str, str]) -> bool:
    """Return whether a fault is proved to change nothing; False: it does, or that is not known."""
    with tempfile.TemporaryDirectory() as scratch:
        script = f"{exposed(fault, modules, Path(scratch))}{MITER}{SOLVE.format(seconds=SECONDS)}"
        try:
            said = run_yosys(script, Path(scratch), what=f"{fault.module} beside a fault of it")
            return answer_of(said) is Answer.HOLDS
        except (DesignError, ValueError):
            return False


def exposed(fault: Fault, modules: Mapping[str, str], folder: Path) -> str:
    """Write the module with and without its fault into a folder; return what makes them ready.

    Registers become inputs and outputs by then, as do the ports of what the module places.
    """
    text = modules[fault.module]
    placed = sorted(set(INSTANCE.findall(text)) & modules.keys())
    for name in placed:
        (folder / f"{name}.v").write_text(modules[name], encoding="utf-8")
    (folder / f"{WITHOUT}.v").write_text(text, encoding="utf-8")
    (folder / f"{WITH}.v").write_text(faulty(text, fault), encoding="utf-8")
    lines = [f"read_verilog -sv -lib {name}.v\n" for name in placed]
    for name in (WITHOUT, WITH):
        lines.append(f"read_verilog -sv {name}.v\nrename {fault.module} {name}\n")
    return "".join(lines) + EXPOSE
