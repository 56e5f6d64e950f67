"""Generators of the DB-PIM chip, one component a file."""
