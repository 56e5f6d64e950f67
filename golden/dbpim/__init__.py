"""Reference of the DB-PIM family's components and layers."""
