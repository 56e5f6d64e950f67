"""Complete networks on a chip, a row for each run."""
