"""Facts of hybrid-grained sparsity (seed 002, IV-C) that training, golden and chips share."""

ALPHA = 8
"""Filters of one pruning block, which holds the same (kh, kw, c) position of each; they share a
mask (IV-C1)."""

PHI_LIMIT = 2
"""Non-zero CSD digits of a weight at most after the approximation (IV-C2), each in a cell of its
own. Two cells with their metadata cost the bits of a dense weight."""
