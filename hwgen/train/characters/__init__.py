"""Training of small language models that read and write one character at a time."""
