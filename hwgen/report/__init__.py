"""Tables and files that show what was measured."""
