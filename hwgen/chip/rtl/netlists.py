"""Netlists without a check of every bit.

Amaranth checks for each bit of each value of a netlist that it is a net. It makes all of them
itself, and the checks take a fifth of the time of a conversion.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from amaranth.hdl._nir import Net, Netlist, Value

_in_force = RLock()


@contextmanager
def bits_unchecked() -> Iterator[None]:
    """Let netlists be built inside without a check of every bit; one thread at a time."""
    with _in_force:
        originals = Value.__new__, Netlist.resolve_value
        Value.__new__, Netlist.resolve_value = value_of, resolved
        try:
            yield
        finally:
            Value.__new__, Netlist.resolve_value = originals


def value_of(cls: type, nets: Iterable[Any] = ()) -> Any:
    """Return the value of a net or of several; as in Amaranth, less the check."""
    return tuple.__new__(cls, (nets,) if isinstance(nets, Net) else nets)


def resolved(netlist: Any, value: Iterable[Any]) -> Any:
    """Return a value whose late nets, which are negative, are those that drive them."""
    connections, nets = netlist.connections, []
    for net in value:
        driver = net
        while driver < 0:
            driver = connections[driver]
        nets.append(driver)
    return Value(nets)
