"""Crossbar accelerators: networks as synthesis sees them, components, architectures, schedules."""

from hwgen.crossbar.facts.arch import Arch, load_arch

__all__ = ["Arch", "load_arch"]
