"""Shifts by some elements, in stages: a multiplexer of two inputs for each bit of the amount.

A shift operator makes every bit of the result depend on every bit of the value, which takes long to
check in words of a thousand bits.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def moved_up(m: Module, value: Value, places: Value, *, unit: int, name: str) -> Value:
    """Return ``value << (places * unit)``, as wide as it may become.

    name: of the signals between the stages
    """
    for stage in range(len(places)):
        moved = Signal(len(value) + (unit << stage), name=f"{name}_{stage}")
        m.d.comb += moved.eq(Mux(places[stage], Cat(Const(0, unit << stage), value), value))
        value = moved
    return value


def moved_down(m: Module, value: Value, places: Value, *, unit: int, keep: int, name: str) -> Value:
    """Return the lowest `keep` bits of ``value >> (places * unit)``; they are within the value."""
    for stage in reversed(range(len(places))):
        # What the stages behind this one may still move down.
        bits = min(len(value), keep + unit * ((1 << stage) - 1))
        moved = Signal(bits, name=f"{name}_{stage}")
        m.d.comb += moved.eq(Mux(places[stage], value[unit << stage :][:bits], value[:bits]))
        value = moved
    return value
