"""Channel-adaptive networks (seeds 001 and 004): sub-nets of several widths share weights."""
