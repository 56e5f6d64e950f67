"""A chip behind a few pins: a line that carries bytes, what its frames do, a memory."""
