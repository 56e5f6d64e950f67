"""Studies: papers beside ours, complete networks; each folder is found by entry point."""

__version__ = "0.1.0"
