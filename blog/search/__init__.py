"""Search: what readers find by words."""
