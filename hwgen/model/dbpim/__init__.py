"""Cycle model of the DB-PIM family."""
