"""What chips of every family share: numbers, tables, generators, simulation."""
