"""DB-PIM: architecture, instruction set, memory map and latencies of the digital SRAM chip."""
