"""The hwgen command: arguments in, tables out."""
