"""The steps behind each command: the only package that combines all others."""
