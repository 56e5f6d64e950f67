"""Benches of the DB-PIM family, one a component."""
