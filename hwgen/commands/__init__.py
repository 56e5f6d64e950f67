"""The steps behind each command; families are found by what they offer."""
