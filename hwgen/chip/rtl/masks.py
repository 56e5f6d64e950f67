"""An AND with a constant is one operation again: Yosys makes a row of the bits that it keeps.

    { 1'h0, bits[4], 2'h0, bits[1:0] }

is, for simulators, a shift and an OR for each piece. It becomes

    bits[5:0] & 6'h13
"""

from hwgen.chip.rtl.atoms import Chunk, Widths, chunks, text_of

FEWEST = 4
"""Pieces of a row; fewer read well as they are."""


def as_and(atom: str, widths: Widths) -> tuple[str, str]:
    """Return an atom in braces as an AND, and its operator; as it is, and none, if it is no AND.

    All pieces must be zeros, or bits of one signal in their order, at one distance from their
    places. Where the row is longer than the signal, braces hold zeros and the AND.
    """
    parts = chunks(atom, widths)
    owners = {one.name for one in parts if one.name}
    if (
        len(parts) < FEWEST
        or len(owners) != 1
        or not all(one.name or is_zero(one) for one in parts)
    ):
        return atom, ""
    (name,) = owners
    width = place = sum(one.width for one in parts)
    mask, shifts = 0, set()
    for one in parts:
        place -= one.width
        if one.name:
            mask |= ((1 << one.width) - 1) << place
            shifts.add(one.low - place)
    shift = shifts.pop()
    if shifts or shift < 0:
        return atom, ""
    kept = min(width, widths[name] - shift)
    source = text_of(Chunk(name, shift, kept), widths)
    text = f"{source} & {kept}'h{mask:x}"
    missing = width - kept
    return (f"{{ {missing}'h{0:0{(missing + 3) // 4}x}, {text} }}", "") if missing else (text, "&")


def is_zero(one: Chunk) -> bool:
    """Return whether a constant has no bit that is 1, or unknown."""
    _, _, digits = one.text.partition("'")
    return set(digits[1:]) == {"0"}
