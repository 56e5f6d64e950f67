"""Crossbar accelerators: time, energy and power of a design, without hardware."""
