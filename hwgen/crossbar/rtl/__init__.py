"""Generators of the crossbar chip: a conductor that knows time, and macros that compute."""
