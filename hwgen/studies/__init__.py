"""Studies: papers beside ours, benchmarks, the demo; each folder is found by entry point."""
