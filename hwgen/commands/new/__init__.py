"""`hwgen new`: a project of a user's own, which passes at once."""
