"""Readers and writers of other people's network formats; what they read becomes a `Graph`."""
