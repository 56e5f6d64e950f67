"""Search over architectures."""
