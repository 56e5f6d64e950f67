"""Cycles, energy and area without simulation."""
