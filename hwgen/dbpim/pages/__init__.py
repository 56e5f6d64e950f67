"""What a person sees of DB-PIM chips beside their reports."""
