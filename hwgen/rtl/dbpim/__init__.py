"""Generators of the DB-PIM family, one component a file."""
