"""Parts whose Verilog is a text of its own: behavioural bodies that another module may replace.

Tests: `tests/verif/common/test_replaced.py`.
"""

from string import Template
from textwrap import fill

from amaranth.hdl import Module

from hwgen.chip.rtl.part import Part

WIDEST = 100
"""Characters of a line of ports."""


class TextPart(Part):
    """A part whose module is written by hand, with sizes filled in.

    A subclass returns the whole text of one module from `verilog`: ports as the emitter writes
    them, one `input` or `output` a line with a literal width, named as in the signature.
    """

    is_text = True

    def verilog(self) -> str:
        """Return the text of the module, from `module` to `endmodule`."""
        raise NotImplementedError

    def filled(self, template: str, sizes: dict[str, int]) -> str:
        """Return a template with ``${name}``, ``${ports}`` and each size filled in."""
        ports = list(self.ports())
        declared = [
            f"  {direction} {f'[{width - 1}:0] ' if width > 1 else ''}{name};"
            for name, direction, width in ports
        ]
        names = ", ".join(name for name, _, _ in ports)
        return Template(template).substitute(
            name=self.module_name,
            port_names=fill(names, WIDEST, subsequent_indent="    "),
            ports="\n".join(declared),
            **sizes,
        )

    def elaborate(self, platform: object) -> Module:
        raise NotImplementedError(f"{self.module_name} is a text, not a netlist")
