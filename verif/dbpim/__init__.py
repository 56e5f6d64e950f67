"""Benches of the DB-PIM family, one a component, and the timed references that they judge by.

What a component computes comes from golden. When it does so comes from `feed_rules`, `walk_plan`,
`macro_rules` and `tile_ring`: rules of one component each, written from the microarchitecture and
without the cycle model of `hwgen.model`, so that the two confirm each other.
"""
