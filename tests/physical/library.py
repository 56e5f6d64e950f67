"""A library whose delays are known by heart: 0.1 ns and 1 ns a pF, whatever the slew."""

from pathlib import Path

TABLE = 'index_1 ("0, 1"); index_2 ("0, 1"); values ("{low}, {high}", "{low}, {high}");'
TIMING = """
      timing () {{ related_pin : "{related}"; timing_sense : {sense}; {kind}
        cell_rise (t) {{ {delay} }} cell_fall (t) {{ {delay} }}
        rise_transition (t) {{ {slew} }} fall_transition (t) {{ {slew} }}
      }}"""
SETUP = """
      timing () { related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (t) { %s } fall_constraint (t) { %s } }"""
DELAY, SLEW = TABLE.format(low=0.1, high=1.1), TABLE.format(low=0.05, high=0.05)
HELD = TABLE.format(low=0.02, high=0.02)


def gate(name: str, inputs: str, function: str, sense: str, *, area: float = 1.0) -> str:
    """Return a cell with one output; each input has 0.01 pF."""
    pins = "".join(
        f"    pin ({pin}) {{ direction : input; capacitance : 0.01; }}\n" for pin in inputs
    )
    arcs = "".join(
        TIMING.format(related=pin, sense=sense, kind="", delay=DELAY, slew=SLEW) for pin in inputs
    )
    return (
        f"  cell ({name}) {{ area : {area}; cell_leakage_power : 1.0;\n{pins}"
        f'    pin (Z) {{ direction : output; max_capacitance : 1; function : "{function}";{arcs}\n'
        "    }\n  }\n"
    )


def flip_flop() -> str:
    """Return a flip-flop with a setup time of 0.02 ns."""
    arc = TIMING.format(
        related="CK", sense="non_unate", kind="timing_type : rising_edge;", delay=DELAY, slew=SLEW
    )
    return (
        "  cell (DFF) { area : 4; cell_leakage_power : 2.0;\n"
        '    ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }\n'
        "    pin (CK) { direction : input; clock : true; capacitance : 0.01; }\n"
        f"    pin (D) {{ direction : input; capacitance : 0.01;{SETUP % (HELD, HELD)} }}\n"
        f'    pin (Q) {{ direction : output; function : "IQ";{arc} }}\n  }}\n'
    )


def tie(name: str, value: int) -> str:
    """Return a constant."""
    return (
        f'  cell ({name}) {{ area : 1; pin (Z) {{ direction : output; function : "{value}"; }} }}\n'
    )


CELLS = {
    "inverter": gate("INV", "A", "!A", "negative_unate"),
    "buffer": gate("BUF", "A", "A", "positive_unate", area=1.5),
    "nand": gate("NAND", "AB", "!(A B)", "negative_unate", area=2.0),
    "flip-flop": flip_flop(),
    "tie cells": tie("LOW", 0) + tie("HIGH", 1),
}
HEAD = (
    'library (by_hand) {\n  time_unit : "1ns"; leakage_power_unit : 1nW\n'
    "  capacitive_load_unit (1, pf); nom_voltage : 1.0; /* a comment */\n"
)


def liberty(*, without: str = "", more: str = "") -> str:
    """Return the text of the library."""
    return HEAD + "".join(text for what, text in CELLS.items() if what != without) + more + "}\n"


def written(folder: Path, text: str) -> Path:
    """Return the file of a library."""
    file = folder / "by_hand.lib"
    file.write_text(text, encoding="utf-8")
    return file
