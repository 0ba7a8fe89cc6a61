"""Every statement about posts, by what it is for. Who may see or change one is a condition of the statement."""
