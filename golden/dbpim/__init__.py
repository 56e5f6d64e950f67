"""Reference of the DB-PIM family's components and layers."""

from golden.dbpim.network import infer

__all__ = ["infer"]
