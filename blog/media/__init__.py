"""Pictures: recognised by decoding, cleaned, kept by digest, and shown with their width, height and description."""
