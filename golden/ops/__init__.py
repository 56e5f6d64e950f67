"""Numpy reference of each operation of a quantized network: what layers are made of.

Maps are (images, height, width, channels), uint8 or uint16; sums are int64.
"""
