"""Tiles, masks, split and instructions of the DB-PIM family."""
