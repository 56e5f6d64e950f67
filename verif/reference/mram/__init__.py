"""Reference of the MRAM family's components; networks are `golden.network`'s."""
