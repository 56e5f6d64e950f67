"""Reference of MRAM cells, which may err."""
