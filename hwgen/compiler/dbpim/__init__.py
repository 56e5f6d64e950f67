"""Tiles, masks, split and instructions of the DB-PIM family."""

from hwgen.compiler.dbpim.compile import compile_network

__all__ = ["compile_network"]
