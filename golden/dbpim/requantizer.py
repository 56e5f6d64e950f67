"""Reference of `hwgen.dbpim.rtl.requantizer`: from an accumulator to a byte."""

from golden.ops.requantize import requantize

__all__ = ["requantize"]
