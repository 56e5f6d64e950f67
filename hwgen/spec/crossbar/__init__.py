"""Crossbar accelerators: networks as synthesis sees them, components, architectures, schedules."""

from hwgen.spec.crossbar.arch import SWITCHES, Arch, load_arch, with_sparsity

ROOMS: tuple[str, ...] = ()
"""What this family has beside its architecture, see `hwgen.flow.families`: nothing can be run."""

__all__ = ["ROOMS", "SWITCHES", "Arch", "load_arch", "with_sparsity"]
