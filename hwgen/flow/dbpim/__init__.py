"""Pages of the DB-PIM family: published networks on its chips."""
