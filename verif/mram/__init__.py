"""Benches of the channel-adaptive family."""
