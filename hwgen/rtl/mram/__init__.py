"""Generators of the MRAM chip, one component a file; docs/mram-microarchitecture.md has the timing.

Every component that belongs to the family takes the keyword parameter ``arch``. ``Arch`` checks all
sizes when it is made, so that no component refuses one.
"""
