"""Posts into a folder of Markdown files, and back."""
