"""How long the kit takes for its own work."""
