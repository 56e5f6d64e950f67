"""Pages of the MRAM family: cycles by channels."""
