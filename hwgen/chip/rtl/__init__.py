"""Generators that several families share; each module carries the prefix of its family."""
