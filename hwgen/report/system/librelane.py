"""Files with which LibreLane makes a chip a block of a layout: `hwgen build --for librelane`.

Tests: `tests/soc/test_librelane.py`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwgen.chip.interface import ChipInterface
from hwgen.physical.abstracts import Abstract, black_box, gds, lef, liberty
from hwgen.report.system.constraints import periods
from hwgen.report.system.wrapper import BUSES

AROUND_UM = 20.0
"""Free around each memory, for its pins and its power."""
UTILIZATION = 40
"""Of the core in percent: memories and gates."""
CONFIG, PINS, GUIDE = "config.json", "pin_order.cfg", "librelane.md"

SIDES = {"N": ["aclk", "aresetn", "irq"], "W": [f"{BUSES['registers']}_.*"]}
SIDES |= {"E": [f"{BUSES['memory']}_.*"]}
"""Pins of a wrapper with AXI."""
AXI_PINS = """\
registers west, memory east, clock, reset and interrupt north (`{file}`).
- **The bus** outside is AXI, {wide} pins in all; with `hwgen build --pins spi` there are six."""
FEW_PINS = """\
the line west, clock and reset north (`{file}`), {wide} in all. The memory of program and maps is in
  the block; `hwgen.host` speaks over the line."""
SDC = """\
# Timing of {top}, written by hwgen: pins of the line change when the host likes, and flip-flops
# behind each of them take them over; reset is synchronous.
create_clock -name clk -period {period:.3f} [get_ports clk]
set_clock_uncertainty {uncertainty:.3f} [get_clocks clk]
set_input_delay -clock clk {outside:.3f} [get_ports {{{inputs}}}]
set_output_delay -clock clk {outside:.3f} [get_ports {{{outputs}}}]
set_false_path -from [get_ports {{{line}}}]
"""

TEXT = """\
# {what} for LibreLane

`librelane --manual-pdk --pdk-root ROOT --pdk PDK {config}` in this folder makes a block of `{top}`.
These files are for any process; what belongs to one you bring:

- **The clock** is {period:g} ns ({mhz:g} MHz), the architecture's. `hwgen cost CHIP --liberty FILE`
  says what the netlist reaches in cells of your process, without wires; ask for less at first
  (`CLOCK_PERIOD`, and `period` in `{sdc}`).
- **Memories** of at least {least:,} bits are blocks, all others become gates. {memories}
- **Pins**: {pins}

What no file here can say, and only a process design kit checks: rules of the layout, antennas,
density, whether the power grid reaches the memories (`PDN_MACRO_CONNECTIONS`), layout against
schematic, corners of timing, tests of the cells (scan is inserted by the flow).
"""
ABSTRACTS = """\
Each has an abstract: outline (`.lef`,
  and `.gds` on layer 0, which no process has), pins on {layer}, power on {power}, times of
  {access} ns (`.lib`), assumed as `hwgen cost` assumes them. Your memory compiler's files take
  their places and names; `hwgen build --replace` puts its module into the Verilog."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What becomes a block of a layout.

    what: the chip; mhz: its clock; top, clock: the module, and its port
    constraints: the file that has the clock; beside: Verilog beside that of modules
    sides: pins by side; pins: what the guide says of them
    root: module below which memories are; within: its path in the top
    """

    what: str
    mhz: float
    top: str
    clock: str
    constraints: str
    beside: tuple[str, ...]
    sides: Mapping[str, Sequence[str]]
    pins: str
    root: str
    within: str


def axi_block(of: ChipInterface, wide: int) -> Block:
    """Return the chip in its wrapper; wide: pins of that."""
    top = f"{of.prefix}_axi"
    return Block(
        what=of.what,
        mhz=of.clock_mhz,
        top=top,
        clock="aclk",
        constraints=f"{of.prefix}.sdc",
        beside=(f"{top}.v",),
        sides=SIDES,
        pins=AXI_PINS.format(file=PINS, wide=wide),
        root=of.top,
        within="chip.",
    )


def few_pins_block(of: ChipInterface, top: str, line: Sequence[str]) -> Block:
    """Return the chip behind a line; top: the module; line: pins besides clock and reset."""
    return Block(
        what=of.what,
        mhz=of.clock_mhz,
        top=top,
        clock="clk",
        constraints=f"{top}.sdc",
        beside=(),
        sides={"N": ["clk", "rst"], "W": [*line]},
        pins=FEW_PINS.format(file=PINS, wide=2 + len(line)),
        root=top,
        within="",
    )


def few_pins_sdc(block: Block, outputs: Sequence[str]) -> str:
    """Return the constraints of a chip behind a line; outputs: pins that it drives."""
    line = [pin for pin in block.sides["W"] if pin not in outputs]
    return SDC.format(
        top=block.top,
        inputs=" ".join(["rst", *line]),
        outputs=" ".join(outputs),
        line=" ".join(line),
        **periods(block.mhz),
    )


def librelane_files(
    of: Block, files: Mapping[str, str], abstracts: Sequence[Abstract], *, least: int
) -> dict[str, str | bytes]:
    """Return the configuration, the order of pins, abstracts of memories and a guide, by name.

    files: the Verilog of the chip by file; least: bits of the smallest memory that is an abstract
    """
    places = placed(of, files, abstracts)
    found: dict[str, str | bytes] = {
        CONFIG: json.dumps(configuration(of, files, abstracts, places), indent=2) + "\n",
        PINS: pin_order(of.sides),
    }
    for abstract in abstracts:
        found |= {
            f"{abstract.name}.lef": lef(abstract),
            f"{abstract.name}.lib": liberty(abstract),
            f"{abstract.name}.gds": gds(abstract),
            f"{abstract.name}.vh": black_box(abstract),
        }
    return found | {GUIDE: guide(of, abstracts, least=least)}


def configuration(
    of: Block,
    files: Mapping[str, str],
    abstracts: Sequence[Abstract],
    places: Mapping[str, Mapping[str, tuple[float, float]]],
) -> dict[str, Any]:
    """Return what LibreLane reads first."""
    without = {f"{abstract.name}.v" for abstract in abstracts}
    verilog = [*(name for name in files if name not in without), *of.beside]
    constraints = f"dir::{of.constraints}"
    config = {
        "meta": {"version": 2},
        "DESIGN_NAME": of.top,
        "VERILOG_FILES": [f"dir::{name}" for name in verilog],
        "CLOCK_PORT": of.clock,
        "CLOCK_PERIOD": round(1000 / of.mhz, 3),
        "PNR_SDC_FILE": constraints,
        "SIGNOFF_SDC_FILE": constraints,
        "IO_PIN_ORDER_CFG": f"dir::{PINS}",
        "FP_CORE_UTIL": UTILIZATION,
    }
    if not abstracts:
        return config
    macros = {
        abstract.name: {
            "gds": [f"dir::{abstract.name}.gds"],
            "lef": [f"dir::{abstract.name}.lef"],
            "vh": [f"dir::{abstract.name}.vh"],
            "lib": {"*": [f"dir::{abstract.name}.lib"]},
            "instances": {
                name: {"location": list(at), "orientation": "N"}
                for name, at in places[abstract.name].items()
            },
        }
        for abstract in abstracts
    }
    return {**config, "MACROS": macros}


def pin_order(sides: Mapping[str, Sequence[str]]) -> str:
    """Return on which side each pin stands."""
    return "".join(
        f"#{side}\n" + "".join(f"{name}\n" for name in names) + "\n"
        for side, names in sides.items()
    )


def placed(
    of: Block, files: Mapping[str, str], abstracts: Sequence[Abstract]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the lower left corner of each instance of each abstract: rows in a square."""
    from hwgen.chip.rtl.manifest import INSTANCE

    below: dict[str, list[tuple[str, str]]] = {}
    for name, text in files.items():
        below[name.removesuffix(".v")] = INSTANCE.findall(text)
    sizes = {abstract.name: abstract.size_um for abstract in abstracts}
    wanted = sorted(instances(below, of.root, of.within, sizes))
    area = sum(
        (sizes[module][0] + AROUND_UM) * (sizes[module][1] + AROUND_UM) for module, _ in wanted
    )
    across = max([math.sqrt(area), *(width for width, _ in sizes.values())])
    found: dict[str, dict[str, tuple[float, float]]] = {abstract.name: {} for abstract in abstracts}
    x = y = AROUND_UM
    high = 0.0
    for module, path in wanted:
        width, height = sizes[module]
        if x + width > across + AROUND_UM and x > AROUND_UM:
            x, y, high = AROUND_UM, y + high + AROUND_UM, 0.0
        found[module][path] = (x, y)
        x, high = x + width + AROUND_UM, max(high, height)
    return found


def instances(
    below: Mapping[str, Sequence[tuple[str, str]]],
    module: str,
    path: str,
    wanted: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    """Yield module and path of each instance of some modules below another one."""
    for inner, name in below.get(module, ()):
        if inner in wanted:
            yield inner, f"{path}{name}"
        else:
            yield from instances(below, inner, f"{path}{name}.", wanted)


def guide(of: Block, abstracts: Sequence[Abstract], *, least: int) -> str:
    """Return the page for a person."""
    memories = "This chip has none of that size."
    if abstracts:
        access = sorted({f"{abstract.access_ns:.2f}" for abstract in abstracts})
        memories = ABSTRACTS.format(
            layer=abstracts[0].layer,
            power=abstracts[0].power_layer,
            access=" to ".join([access[0], access[-1]][: len(access)]),
        )
    return TEXT.format(
        what=of.what[0].upper() + of.what[1:],
        config=CONFIG,
        top=of.top,
        period=round(1000 / of.mhz, 3),
        mhz=of.mhz,
        sdc=of.constraints,
        least=least,
        memories=memories,
        pins=of.pins,
    )
