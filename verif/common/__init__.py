"""Benches of the components that several families share."""
