"""Images: the embedded digits and readers of the official file formats."""
