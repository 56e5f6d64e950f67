"""Cycles of a DB-PIM program without simulating its hardware."""
