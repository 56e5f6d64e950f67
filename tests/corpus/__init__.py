"""Exports in today's styles, made by the frameworks themselves, imported and compared."""
