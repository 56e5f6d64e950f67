"""Pages of the MRAM family: the published figures beside ours."""
