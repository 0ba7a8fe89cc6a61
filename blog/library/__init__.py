"""The library: posts that a reader has saved, or was granted. What one wrote oneself is held anyway."""
