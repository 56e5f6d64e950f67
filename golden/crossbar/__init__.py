"""Reference of a crossbar accelerator: cells, products, the dataflow of a design, in NumPy."""
