"""From a quantized network and an architecture to one program image."""
