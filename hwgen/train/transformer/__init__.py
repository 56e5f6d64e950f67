"""Training of small transformers: tokens from convolutions, blocks of attention, one head."""
