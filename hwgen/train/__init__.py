"""The torch flow: models, pruning, quantization, export."""
