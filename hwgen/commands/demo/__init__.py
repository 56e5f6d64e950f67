"""The demo: two small chips trained for, simulated and compared."""
