"""The torch flow: float training, pruning, FTA-aware training on integers, export.

Nothing is imported here: `recipe` is read without torch, `train` needs it.
"""
