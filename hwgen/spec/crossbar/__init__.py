"""Crossbar accelerators: networks as synthesis sees them, components, architectures."""
