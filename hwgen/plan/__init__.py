"""A network that is cut between a chip and its host: pieces, borders, the plan file, playing it.

`units` and `pieces` know no format of networks; `onnx_units` and `onnx_pieces` are of ONNX.
"""
