"""Garbage that holds itself is collected when the process has grown, and only then."""

import gc
import weakref

import pytest

from tests import garbage


class Ring:
    """Holds itself, as a netlist does, and as much memory as asked for."""

    def __init__(self, bytes_held: int) -> None:
        self.ring = self
        self.held = bytearray(bytes_held)


def test_it_is_collected_when_the_process_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    if garbage.resident() == 0:
        pytest.skip("the system does not say what a process holds")
    monkeypatch.setattr(garbage, "GROWTH", 32 << 20)
    monkeypatch.setattr(garbage, "LEAST", [garbage.resident()])
    gc.disable()
    try:
        small = weakref.ref(Ring(1))
        assert not garbage.collect_what_grew()
        assert small() is not None
        large = weakref.ref(Ring(64 << 20))
        assert garbage.collect_what_grew()
        assert small() is None
        assert large() is None
    finally:
        gc.enable()
    assert garbage.LEAST[0] < garbage.resident() + garbage.GROWTH
    assert not garbage.collect_what_grew()
