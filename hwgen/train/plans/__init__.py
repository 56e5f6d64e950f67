"""Plans of networks: float, quantized and exported network are built from one list of nodes."""
