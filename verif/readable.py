"""How readable the Verilog of a chip is: nets without a name, copies of expressions, long lines.

    python -m verif.readable FOLDER ...            folders of `hwgen build`; a line each
    python -m verif.readable --places FOLDER ...   signals whose bits are numbers above 15

A slice is known by its lowest bit: `sum[25:0]` is a sum without its carry.

A net has no name if a machine numbered it: `$1`, `_n1`. An expression is a value that is assigned
and has an operator; it is a copy if another net of its module has the same one, word for word.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen.chip.rtl.check_text import without_assertions
from verif.same_verilog import read_folder
from verif.schemata import in_lines

NET = re.compile(r"^  (?:wire|reg) (?:signed )?(?:\[\d+:0\] )?(\\\S+|[\w$]+)", re.M)
NAMELESS = re.compile(r"\\?\$.*|_n\d+")
REGISTER = re.compile(r"^  (?:output )?reg (?:signed )?(?:\[\d+:0\] )?(\\\S+|[\w$]+)", re.M)
DOUBLE = re.compile(r"\$\d+")
"""Behind the name of a second signal of one name."""
MOST_LINES = 1000
LONG: Mapping[str, str] = {
    "dbpim_write_bus": "a multiplexer of 512 bits for each lane and core of the papers' sizes",
    "dbpim_load_writer": "as many pixels a cycle as the bus has lanes",
    "dbpim_simd": "operands of 32 lanes and more",
    "mram_sender": "each bit of a packet moves by itself",
    "mram_gather": "a tap for each segment and pixel of a window",
}
"""Modules that may have more lines on large chips, and what makes them long."""
ASSIGNED = re.compile(r"^  assign .*? = (.*);", re.M)
PLACE = re.compile(r"\b([A-Za-z_]\w*)\[(?:\d+:)?(\d+)\]")
DECLARED = re.compile(r"^  (?:input|output|wire|reg|localparam) .*$", re.M)
LARGEST = 15
"""Bit numbers up to here need no name."""
SIZES = re.compile(r"_\d+[a-z\d]*(?:_in_\d+)?$")
"""Behind the name of a module."""
NUMBERED: Mapping[str, str] = {
    "crossbar_checksum": "beat mixed",
    "dbpim_byte_divider": "divisor value",
    "dbpim_float_adder": "moved significand total_1",
    "dbpim_float_divider": "below divisor given normal",
    "dbpim_float_multiplier": "a b product_1 significand",
    "dbpim_float_root": "value",
    "dbpim_float_sum": "moved",
    "dbpim_checksum": "beat mixed",
    "dbpim_fma": "a b c magnitude_2 moved significand total_0",
    "dbpim_loader": "front_packet instruction__payload",
    "dbpim_mask_array": "shifted",
    "dbpim_requantizer": "_n7 accumulator magnitude scaled_shifted significant_shifted",
    "dbpim_row_lane": "adder__result value",
    "dbpim_sequencer": "held",
    "dbpim_simd_lane": "product",
    "dbpim_simd_output": "shifted_0 shifted_1",
    "dbpim_taps_loader": "beats__payload",
    "dbpim_tile_loader": "beats__payload gathered",
    "dbpim_triple_decoder": "triple",
    "mram_bit_counter": "bits fields_0_2",
    "mram_checksum": "beat mixed",
    "mram_dpu_lane": "weighted_4",
    "crossbar_packer": "both",
    "crossbar_pad_memory": "write_en",
    "crossbar_result_memory": "enables_0 enables_1",
}
"""Signals whose bits have no names: numbers of IEEE 754 and searches for their leading one, words
that are shifted, packets of several kinds, a bit for each lane, beats and states of a CRC."""
OPERATOR = re.compile(r"[&|^+*/%<>=?!~-]")


@dataclass(frozen=True)
class Counted:
    """Of some modules: lines, nets without a name, expressions, copies, the longest line."""

    lines: int
    nameless: int
    expressions: int
    copies: int
    longest: int

    def copied(self) -> float:
        """Return the share of expressions that are copies, in percent."""
        return 100 * self.copies / max(1, self.expressions)


def counted(modules: Iterable[str]) -> Counted:
    """Return the counts of the Verilog of modules, one text each."""
    lines = nameless = expressions = copies = longest = 0
    for text in modules:
        lines += text.count("\n")
        longest = max(longest, *map(len, text.splitlines()))
        nameless += sum(NAMELESS.fullmatch(name) is not None for name in NET.findall(text))
        values = [each for each in ASSIGNED.findall(in_lines(text)) if OPERATOR.search(each)]
        expressions += len(values)
        copies += sum(count - 1 for count in Counter(values).values())
    return Counted(lines, nameless, expressions, copies, longest)


def places(modules: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """Return how often bits above the 15th of a signal are read by number, by module and signal."""
    found: Counter[tuple[str, str]] = Counter()
    for module, text in modules.items():
        for name, place in PLACE.findall(DECLARED.sub("", without_assertions(text))):
            if int(place) > LARGEST:
                found[module, name] += 1
    return found


def unnamed_places(modules: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the signals with such bits that are not among `NUMBERED`, by module and signal."""
    found = {(SIZES.sub("", module), name) for module, name in places(modules)}
    return {
        (module, name) for module, name in found if name not in NUMBERED.get(module, "").split()
    }


def too_long(modules: Mapping[str, str]) -> dict[str, int]:
    """Return the lines of each module with more than `MOST_LINES` that is not among `LONG`."""
    lines = {name: text.count("\n") for name, text in modules.items()}
    return {name: count for name, count in lines.items() if count > MOST_LINES and name not in LONG}


def nameless_registers(modules: Iterable[str]) -> list[str]:
    """Return the registers that a machine named, of modules whose blocks set them at an edge."""
    return [
        name
        for text in modules
        for name in REGISTER.findall(text)
        if NAMELESS.fullmatch(name) or DOUBLE.search(name)
        if re.search(rf"^ *{re.escape(name)} ?(?:\[[^\]]*\] )?<=", text, re.M)
    ]


def main() -> None:
    """Print the counts of folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--places", action="store_true", help="bits that are read by number")
    given = parser.parse_args()
    if given.places:
        for folder in given.folders:
            for (module, name), count in places(read_folder(folder)).most_common():
                print(f"{folder.name} | {module} | {name} | {count}")
        return
    print("chip | lines | nets without a name | expressions | copies, % | longest line")
    for folder in given.folders:
        one = counted(read_folder(folder).values())
        print(
            f"{folder.name} | {one.lines} | {one.nameless} | {one.expressions}"
            f" | {one.copies}, {one.copied():.1f} | {one.longest}"
        )


if __name__ == "__main__":
    main()
