"""Types of the reports, their JSON files and their tables for the terminal."""
