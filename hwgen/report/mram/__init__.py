"""Pages of the MRAM family: what was trained for it, and what its layers cost by their channels."""
