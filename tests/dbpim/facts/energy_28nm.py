"""Make `configs/energy/dbpim_28nm.yaml` from the table at 45 nm: `python -m ... --write`.

What NeuroSim 1.3 and CACTI 7 say of a part at both nodes is taken from them; all other logic takes
what their flip-flop takes less at 28 nm. The test beside it holds that the file is what this makes.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hwgen.files.load import read_mapping

FOLDER = Path(__file__).parents[3] / "configs" / "energy"
FILE = FOLDER / "dbpim_28nm.yaml"
PART_PJ = {
    0.0142: (0.0064, "multiplexer 4:1 of 9 bits"),
    0.068: (0.038, "row drivers of a 16 x 16 array, read"),
    0.328: (0.199, "row drivers of a 16 x 16 array, write"),
    1.45: (0.61, "register file of 1 KB, 16-bit read"),
    1.67: (0.69, "register file of 1 KB, 64-bit read"),
    1.41: (0.58, "register file of 1 KB, 64-bit read (0.69), 54 bits of it"),
    3.49: (1.45, "register file of 1 KB, 64-bit write"),
    5.16: (2.14, "register file of 1 KB, 64-bit write (1.45) and read (0.69)"),
    10.8: (6.5, "SRAM of 16 KB, 128-bit read"),
    23.2: (7.7, "SRAM of 16 KB, 128-bit write"),
}
"""pJ at 45 nm, at 28 nm, and what it is."""
PART_UM2 = {
    408: (224, "array of 16 x 16 cells with its drivers"),
    3600: (1440, "register file of 1 KB"),
    50700: (21300, "SRAM of 16 KB with words of 128 bits"),
}
"""The same in um2."""
FLIP_FLOP_PJ, FLIP_FLOP_UM2 = (0.0039, 0.0094), (2.06, 5.17)
"""A flip-flop of NeuroSim 1.3 at 28 and at 45 nm."""
LOGIC_PJ = round(FLIP_FLOP_PJ[0] / FLIP_FLOP_PJ[1], 3)
LOGIC_UM2 = round(FLIP_FLOP_UM2[0] / FLIP_FLOP_UM2[1], 3)
HEAD = """\
# Energy of each event of a DB-PIM chip at 28 nm, in pJ, and area, in um2; keys as in
# dbpim_45nm.yaml. Memories, multiplexers and drivers are those of NeuroSim 1.3 and CACTI 7 at
# 28 nm. Nothing else was mapped to cells of 28 nm: it is the figure at 45 nm times what a flip-flop
# of NeuroSim takes at 28 nm for what it takes at 45. Made by tests/dbpim/facts/energy_28nm.py.
"""


class Whole(yaml.SafeDumper):
    """Writes an entry that stands twice twice, without a reference."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say so of every value."""
        return True


def logic_source(ratio: float, pair: tuple[float, float], unit: str) -> str:
    """Return the source of a figure that is scaled."""
    return (
        f"dbpim_45nm x {ratio}: flip-flop of NeuroSim 1.3, {pair[0]} {unit} at 28 nm,"
        f" {pair[1]} at 45 nm"
    )


def scaled(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an entry at 28 nm; key: `pj` or `um2`."""
    parts, ratio, pair = (
        (PART_PJ, LOGIC_PJ, FLIP_FLOP_PJ) if key == "pj" else (PART_UM2, LOGIC_UM2, FLIP_FLOP_UM2)
    )
    of_models = entry["source"].startswith(("NeuroSim", "CACTI")) and entry[key] in parts
    if entry.get("memory") and not of_models:
        raise ValueError(f"no memory at 28 nm for {entry}")
    if of_models:
        figure, what = parts[entry[key]]
        return {**entry, key: figure, "source": f"NeuroSim 1.3 and CACTI 7, 28 nm: {what}"}
    figures = {
        name: float(f"{entry[name] * ratio:.3g}")
        for name in (key, f"written_{key}")
        if name in entry
    }
    unit = {"pj": "pJ"}.get(key, key)
    return {**entry, **figures, "source": logic_source(ratio, pair, unit)}


def assumed(given: Mapping[str, Any], ratio: float, source: str) -> dict[str, Any]:
    """Return a range of figures times a ratio."""
    levels = {name: float(f"{given[name] * ratio:.3g}") for name in ("low", "typical", "high")}
    return {**levels, "source": source}


def table_at_28nm() -> dict[str, Any]:
    """Return the content of the file."""
    table = read_mapping(FOLDER / "dbpim_45nm.yaml")
    leak = float(f"{table['logic_leakage']['uw'] / LOGIC_UM2:.3g}")
    return table | {
        "name": FILE.stem,
        "node_nm": 28,
        "events": {
            event: [scaled(entry, "pj") for entry in entries]
            for event, entries in table["events"].items()
        },
        "cycles": [scaled(entry, "pj") for entry in table["cycles"]],
        "control_pj": assumed(
            table["control_pj"], LOGIC_PJ, logic_source(LOGIC_PJ, FLIP_FLOP_PJ, "pJ")
        ),
        "wires_ff": assumed(
            table["wires_ff"],
            LOGIC_UM2**0.5,
            "assumed: as at 45 nm, as much shorter as the side of a flip-flop of NeuroSim 1.3",
        ),
        "leakage": {
            "uw": 10.8,
            "kilobytes": 128,
            "source": "CACTI 7, 28 nm: leakage of an SRAM of 128 KB",
        },
        "logic_leakage": {
            "uw": leak,
            "um2": 1000,
            "source": f"assumed: a gate leaks as at 45 nm, on {LOGIC_UM2} times its area",
        },
        "area": [scaled(entry, "um2") for entry in table["area"]],
        "area_uncertainty": 0.5,
    }


def text() -> str:
    """Return the file: figures in order of the table at 45 nm."""
    return HEAD + yaml.dump(table_at_28nm(), Dumper=Whole, sort_keys=False, width=1000)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        FILE.write_text(text(), encoding="utf-8")
    sys.exit(FILE.read_text(encoding="utf-8") != text())
