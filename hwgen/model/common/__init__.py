"""Parts of cycle models that families share."""
