"""Behavioural Verilog of a memory from what its YAML says: X wherever that promises nothing."""

from collections.abc import Iterator
from itertools import pairwise

from hwgen.chip.replacement import MemorySpec, Pin, Port
from hwgen.chip.widths import bits_for_index


def model_of(spec: MemorySpec) -> str:
    """Return one module that does what a replacement promises, and no more."""
    clocks = sorted({port.clock for port in spec.ports if port.clock is not None})
    declared = [*(f"input {clock}" for clock in clocks)]
    for port in spec.ports:
        declared += list(pins(spec, port))
    lines = [f"module {spec.module} ({', '.join(declared)});"]
    lines += [f"  reg [{spec.bits - 1}:0] words [0:{spec.words - 1}];"]
    if spec.power_on == "zeros":
        lines += [f"  integer k; initial for (k = 0; k < {spec.words}; k = k + 1) words[k] = 0;"]
    for number, port in enumerate(spec.ports):
        lines += reading(spec, number, port) if port.reads else []
    for port in spec.ports:
        lines += writing(spec, port) if port.writes else []
    return "\n".join([*lines, "endmodule\n"])


def pins(spec: MemorySpec, port: Port) -> Iterator[str]:
    """Yield the declaration of each pin but the clock."""
    yield f"input [{bits_for_index(spec.words) - 1}:0] {port.address}"
    if port.data_in is not None:
        yield f"input [{spec.bits - 1}:0] {port.data_in}"
    if port.data_out is not None:
        yield f"output [{spec.bits - 1}:0] {port.data_out}"
    for pin in (port.select, port.write):
        if pin is not None:
            yield f"input {pin.name}"
    if port.mask is not None:
        yield f"input [{spec.bits // spec.unit - 1}:0] {port.mask.name}"


def level(pin: Pin | None) -> str:
    """Return whether a pin acts, as an expression."""
    return "1'b1" if pin is None else pin.name if pin.active == "high" else f"!{pin.name}"


def stores(port: Port) -> str:
    """Return whether a port stores, as an expression."""
    return f"({level(port.select)} & {level(port.write)})"


def meets(spec: MemorySpec, port: Port) -> str:
    """Return whether the word that a port reads is being written, where that is undefined."""
    if spec.read_during_write == "old":
        return "1'b0"
    others = [one for one in spec.ports if one.writes and one is not port]
    found = [f"({stores(one)} & {one.address} == {port.address})" for one in others]
    return " | ".join(found) or "1'b0"


def reading(spec: MemorySpec, number: int, port: Port) -> list[str]:
    """Return what a port reads."""
    unknown = f"{{{spec.bits}{{1'bx}}}}"
    word = f"({meets(spec, port)}) ? {unknown} : words[{port.address}]"
    selected = level(port.select)
    if port.kind == "rw":
        selected += f" & !({level(port.write)})"
    if port.clock is None:
        return [f"  assign {port.data_out} = ({selected}) ? ({word}) : {unknown};"]
    # The first falling edge is in the cycle of the address, the first rising one behind it.
    count = spec.read_cycles + (port.edge == "falling")
    stages = [f"read_{number}_{stage}" for stage in range(count)]
    kept = "" if spec.holds else f" else {stages[0]} <= {unknown};"
    return [
        *(f"  reg [{spec.bits - 1}:0] {stage};" for stage in stages),
        f"  assign {port.data_out} = {stages[-1]};",
        f"  always @({'pos' if port.edge == 'rising' else 'neg'}edge {port.clock}) begin",
        f"    if ({selected}) {stages[0]} <= {word};{kept}",
        *(f"    {later} <= {sooner};" for sooner, later in pairwise(stages)),
        "  end",
    ]


def writing(spec: MemorySpec, port: Port) -> list[str]:
    """Return what a port stores."""
    lines = [f"  always @({'pos' if port.edge == 'rising' else 'neg'}edge {port.clock})"]
    lines += [f"    if {stores(port)} begin"]
    for unit in range(spec.bits // spec.unit):
        written = "1'b1"
        if port.mask is not None:
            bit = f"{port.mask.name}[{unit}]" if spec.bits > spec.unit else port.mask.name
            written = bit if port.mask.active == "high" else f"~{bit}"
        bits = f"{unit * spec.unit} +: {spec.unit}"
        lines += [f"      if ({written}) words[{port.address}][{bits}] <= {port.data_in}[{bits}];"]
    return [*lines, "    end"]
