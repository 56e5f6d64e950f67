"""DB-PIM: the published race beside ours, and accuracy against cycles."""
