"""Numpy reference of what every component and every layer computes; it knows no cycles."""
