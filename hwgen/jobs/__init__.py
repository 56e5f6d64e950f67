"""Work in processes or on hosts, stored, so that the same command resumes."""
