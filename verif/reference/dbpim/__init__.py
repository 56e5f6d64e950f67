"""Reference of the DB-PIM family's components; networks are `golden.network`'s."""
