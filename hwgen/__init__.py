"""Generate processing-in-memory accelerators and everything that proves them right."""

__version__ = "0.1.0"
