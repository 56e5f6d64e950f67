"""Events of a chip: the parts pulse them, the simulation counts them, the model predicts them.

Keys of energy tables equal these names. Counts are sums over all sub-arrays.
"""

EVENTS: dict[str, str] = {
    "and_operations": "two rows of a sub-array sensed as AND2",
    "and_segments": "active segments in these operations",
    "bit_counts": "bit counts of an active segment",
    "joins": "additions of a count to that of the right neighbour",
    "adds": "additions to an accumulator",
    "shifts": "doublings of an accumulator",
    "input_row_writes": "rows of input planes written in a sub-array",
    "tree_rows": "rows of input planes on the input tree",
    "weight_row_writes": "rows of weights written in a sub-array",
    "sums": "accumulators on the output tree",
    "bank_reads": "rows of an image bank read",
    "bank_writes": "rows of an image bank written, whole or masked",
    "dpu_results": "lanes of the DPU with a result",
    "xor_operations": "three rows of a sub-array sensed as sum and carry",
    "write_backs": "rows of ANDs, counts, and of sums and carries of the adder, written back",
}
"""Name -> meaning."""

MODEL_EVENTS: dict[str, str] = {
    "and_columns": "columns with the input of a channel in these operations",
    "read_backs": "rows of ANDs that were written back, read to be counted; rows of sums read",
}
"""Name -> meaning: known to the model alone, for the energy of what the chip does not do."""
