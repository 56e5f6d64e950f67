"""References that judge parts, schedules and rules, in NumPy: for benches and tests alone."""
