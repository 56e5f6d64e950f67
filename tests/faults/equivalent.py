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
PROVE = f"""
rename {{module}} without_fault
read_verilog -sv with_fault.v
rename {{module}} with_fault
proc
memory_collect
memory_map
opt_clean
rename -hide w:* t:$dff %x1:+[Q] %d
expose -evert-dff -evert without_fault with_fault
miter -equiv -make_assert -flatten without_fault with_fault both
hierarchy -top both
flatten
opt -full
sat -timeout {SECONDS} -prove-asserts -set-assumes
"""
INSTANCE = re.compile(r"^  (\w+) \S+ +\($", re.MULTILINE)


def equivalent(fault: Fault, modules: Mapping[str, str]) -> bool:
    """Return whether a fault is proved to change nothing; False: it does, or that is not known."""
    text = modules[fault.module]
    placed = sorted(set(INSTANCE.findall(text)) & modules.keys())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in placed:
            (folder / f"{name}.v").write_text(modules[name], encoding="utf-8")
        (folder / "without_fault.v").write_text(text, encoding="utf-8")
        (folder / "with_fault.v").write_text(faulty(text, fault), encoding="utf-8")
        libraries = "".join(f"read_verilog -sv -lib {name}.v\n" for name in placed)
        script = f"{libraries}read_verilog -sv without_fault.v{PROVE.format(module=fault.module)}"
        try:
            said = run_yosys(script, folder, what=f"{fault.module} beside a fault of it")
            return answer_of(said) is Answer.HOLDS
        except (DesignError, ValueError):
            return False
