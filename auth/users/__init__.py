"""People: their names, roles and passwords."""
