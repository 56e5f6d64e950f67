"""Files: opening, refusing, writing; YAML, npz, JSON, folders; the leash of child processes."""
