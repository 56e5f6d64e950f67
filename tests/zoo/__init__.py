"""Architectures in plain torch, and what becomes of their ONNX files."""
