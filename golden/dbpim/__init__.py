"""Reference of DB-PIM's cells, which may err, and of its codes of weights."""
