"""Facts of the DB-PIM family: architecture, program format, published latencies."""
