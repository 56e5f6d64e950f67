"""Files with which LibreLane makes a chip a block of a layout: `hwgen build --for librelane`.

Tests: `tests/soc/test_librelane.py`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.chip.interface import ChipInterface
from hwgen.physical.abstracts import Abstract, black_box, gds, lef, liberty
from hwgen.report.system.wrapper import BUSES

AROUND_UM = 20.0
"""Free around each memory, for its pins and its power."""
UTILIZATION = 40
"""Of the core in percent: memories and gates."""
CONFIG, PINS, GUIDE = "config.json", "pin_order.cfg", "librelane.md"

SIDES = {"N": ["aclk", "aresetn", "irq"], "W": [f"{BUSES['registers']}_.*"]}
SIDES |= {"E": [f"{BUSES['memory']}_.*"]}

TEXT = """\
# {what} for LibreLane

`librelane --manual-pdk --pdk-root ROOT --pdk PDK {config}` in this folder makes a block of `{top}`.
These files are for any process; what belongs to one you bring:

- **The clock** is {period:g} ns ({mhz:g} MHz), the architecture's. `hwgen cost CHIP --liberty FILE`
  says what the netlist reaches in cells of your process, without wires; ask for less at first
  (`CLOCK_PERIOD`, and `period` in `{sdc}`).
- **Memories** of at least {least:,} bits are blocks, all others become gates. {memories}
- **Pins**: registers west, memory east, clock, reset and interrupt north (`{pins}`).
- **The bus** outside is AXI, {wide} pins in all; with `hwgen build --pins spi` there are six.

What no file here can say, and only a process design kit checks: rules of the layout, antennas,
density, whether the power grid reaches the memories (`PDN_MACRO_CONNECTIONS`), layout against
schematic, corners of timing, tests of the cells (scan is inserted by the flow).
"""
ABSTRACTS = """\
Each has an abstract: outline (`.lef`,
  and `.gds` on layer 0, which no process has), pins on {layer}, power on {power}, times of
  {access} ns (`.lib`), assumed as `hwgen cost` assumes them. Your memory compiler's files take
  their places and names; `hwgen build --replace` puts its module into the Verilog."""


def librelane_files(
    of: ChipInterface,
    files: Mapping[str, str],
    abstracts: Sequence[Abstract],
    *,
    least: int,
    wide: int,
) -> dict[str, str | bytes]:
    """Return the configuration, the order of pins, abstracts of memories and a guide, by name.

    files: the Verilog of the chip by file; least: bits of the smallest memory that is an abstract
    wide: pins of the wrapper
    """
    places = placed(of, files, abstracts)
    found: dict[str, str | bytes] = {
        CONFIG: json.dumps(configuration(of, files, abstracts, places), indent=2) + "\n",
        PINS: pin_order(),
    }
    for abstract in abstracts:
        found |= {
            f"{abstract.name}.lef": lef(abstract),
            f"{abstract.name}.lib": liberty(abstract),
            f"{abstract.name}.gds": gds(abstract),
            f"{abstract.name}.vh": black_box(abstract),
        }
    return found | {GUIDE: guide(of, abstracts, least=least, wide=wide)}


def configuration(
    of: ChipInterface,
    files: Mapping[str, str],
    abstracts: Sequence[Abstract],
    places: Mapping[str, Mapping[str, tuple[float, float]]],
) -> dict[str, Any]:
    """Return what LibreLane reads first."""
    without = {f"{abstract.name}.v" for abstract in abstracts}
    verilog = [*(name for name in files if name not in without), f"{of.prefix}_axi.v"]
    constraints = f"dir::{of.prefix}.sdc"
    config = {
        "meta": {"version": 2},
        "DESIGN_NAME": f"{of.prefix}_axi",
        "VERILOG_FILES": [f"dir::{name}" for name in verilog],
        "CLOCK_PORT": "aclk",
        "CLOCK_PERIOD": round(1000 / of.clock_mhz, 3),
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


def pin_order() -> str:
    """Return on which side each pin stands."""
    return "".join(
        f"#{side}\n" + "".join(f"{name}\n" for name in names) + "\n"
        for side, names in SIDES.items()
    )


def placed(
    of: ChipInterface, files: Mapping[str, str], abstracts: Sequence[Abstract]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the lower left corner of each instance of each abstract: rows in a square."""
    from hwgen.chip.rtl.manifest import INSTANCE

    below: dict[str, list[tuple[str, str]]] = {}
    for name, text in files.items():
        below[name.removesuffix(".v")] = INSTANCE.findall(text)
    sizes = {abstract.name: abstract.size_um for abstract in abstracts}
    wanted = sorted(instances(below, of.top, "chip", sizes))
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
            yield inner, f"{path}.{name}"
        else:
            yield from instances(below, inner, f"{path}.{name}", wanted)


def guide(of: ChipInterface, abstracts: Sequence[Abstract], *, least: int, wide: int) -> str:
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
        top=f"{of.prefix}_axi",
        period=round(1000 / of.clock_mhz, 3),
        mhz=of.clock_mhz,
        sdc=f"{of.prefix}.sdc",
        least=least,
        memories=memories,
        pins=PINS,
        wide=wide,
    )
