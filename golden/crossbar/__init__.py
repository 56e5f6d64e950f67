"""Golden models of a crossbar accelerator: plain numpy, no product code."""
