"""What a part promises at each clock edge out of reset, as assertions of its Verilog.

Each function adds one or two assertions to a module; conditions are evaluated in the `sync` domain.
They stand at the end of the emitted module, behind ```ifdef HWGEN_ASSERTIONS``, with the registers
that only they read: see `hwgen.chip.rtl.check_text`. None may be called within an `m.If`.

Tests: `tests/chip/rtl/test_checks.py`.
"""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Assert, Cat, Module, ResetSignal, Signal, Value, ValueLike

KEPT = "asserted_"
"""How registers that only assertions read begin."""
PAGE_BITS = 12
"""Of the address of a byte in 4 KiB, which no burst of AXI4 leaves."""


def must(m: Module, condition: ValueLike, message: str, *, when: ValueLike = 1) -> None:
    """Assert a condition of one bit, in each cycle in which `when` is 1."""
    held = Value.cast(condition)
    if not (isinstance(when, int) and when == 1):
        held = ~Value.cast(when).bool() | held
    m.d.sync += Assert(held, message)


def holds(
    m: Module,
    name: str,
    *,
    valid: ValueLike,
    ready: ValueLike,
    payload: ValueLike,
    unless: ValueLike = 0,
) -> None:
    """Assert that what is valid and not taken stays valid, and stays as it is.

    unless: one bit, with which what waits is dropped
    """
    one, two, dropped, value = map(Value.cast, (valid, ready, unless, payload))
    stem = KEPT + name.removeprefix("the ").replace(" ", "_")
    waits = Signal(name=f"{stem}_waits", reset_less=True)
    # No register of the part begins with ones: Yosys would make one of two that are alike.
    before = Signal(len(value), name=stem, reset_less=True, init=(1 << len(value)) - 1)
    m.d.sync += [waits.eq(one & ~(two | dropped | ResetSignal())), before.eq(value)]
    must(m, one & (value == before), f"{name} must hold its payload until it is taken", when=waits)


def holds_payload(m: Module, name: str, stream: Any, *, unless: ValueLike = 0) -> None:
    """Assert that a stream holds its payload while it is valid and not ready; see `holds`."""
    valid, ready, payload = stream.valid, stream.ready, stream.payload
    holds(m, name, valid=valid, ready=ready, payload=payload, unless=unless)


def neither_over_nor_under(
    m: Module, name: str, *, level: Value, depth: int, into: ValueLike, out_of: ValueLike
) -> None:
    """Assert that a queue of `depth` words takes none while it is full, and gives none while empty.

    level: words that it holds, unsigned; into, out_of: one bit each
    """
    must(m, level != depth, f"{name} must take no word while it is full", when=into)
    must(m, level != 0, f"{name} must give no word while it is empty", when=out_of)


def one_hot(m: Module, name: str, bits: Value | Iterable[Value]) -> None:
    """Assert that at most one of several bits is 1."""
    selects = bits if isinstance(bits, Value) else Cat(*bits)
    if len(selects) > 1:
        below = (selects - 1)[: len(selects)]
        must(m, (selects & below) == 0, f"at most one of {name} must be 1")


def within(m: Module, name: str, address: Value, depth: int, *, when: ValueLike = 1) -> None:
    """Assert that an unsigned address is below `depth`; nothing if it has too few bits for more."""
    if depth < 1 << len(address):
        must(m, address < depth, f"{name} must be below {depth}", when=when)


def within_count(
    m: Module, name: str, address: Value, depth: Value, *, when: ValueLike = 1
) -> None:
    """Assert that an unsigned address is below a number that is known while the part works."""
    must(m, address < depth, f"{name} must be below what holds it", when=when)


def in_range(
    m: Module, name: str, counter: Value, most: int, *, least: int = 0, when: ValueLike = 1
) -> None:
    """Assert that a counter is `least` to `most`; nothing if it can hold no other value."""
    low, high = counter.shape().signed, (1 << len(counter)) - 1
    if low or least > 0 or most < high:
        inside = counter <= most
        if low or least > 0:
            inside = inside & (counter >= least)
        must(m, inside, f"{name} must be {least} to {most}", when=when)


def in_range_of(m: Module, name: str, counter: Value, most: Value, *, when: ValueLike = 1) -> None:
    """Assert that an unsigned counter is at most a value that is known while the part works."""
    must(m, counter <= most, f"{name} must be in its range", when=when)


def within_page(
    m: Module, name: str, address: Value, length: Value, *, beat_bytes: int, when: Value
) -> None:
    """Assert that a burst of AXI4 of `length` + 1 beats ends in the 4 KiB in which it begins."""
    end = address[:PAGE_BITS] + (length + 1) * beat_bytes
    must(m, end <= 1 << PAGE_BITS, f"{name} must be below the end of its 4 KiB", when=when)
