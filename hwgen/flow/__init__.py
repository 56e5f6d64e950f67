"""The steps a person asks for; the one place where the parts meet."""
