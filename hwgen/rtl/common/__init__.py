"""Generators that several families share; who places one gives its module the prefix."""
