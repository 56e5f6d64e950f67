"""Facts of hybrid-grained sparsity (seed 002, IV-C) that training, golden and chips share."""

ALPHA = 8
"""Filters of one pruning block: the same (kh, kw, c) position of each, pruned together (IV-C1)."""

PHI_LIMIT = 2
"""Largest number of non-zero CSD digits of a weight after the approximation (IV-C2), one cell each.
Two cells with their metadata take as many bits as a dense weight."""
