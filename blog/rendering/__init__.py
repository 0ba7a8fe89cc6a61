"""Turns a writer's Markdown into HTML that is safe to serve, and HTML into the few words of an excerpt.

Pure functions: text in, text out; no Flask, no database, no network, and the same text gives the same page.
It refuses to raise on anything a person can type, and to let through what is not on the list in `sanitising`.
Whoever shows words may import it (posts, conversations, feeds, the importer); it imports nothing of ours.
"""

from blog.rendering.bounds import LONGEST_BODY_BYTES
from blog.rendering.contents import contents
from blog.rendering.excerpts import excerpt
from blog.rendering.figures import Picture
from blog.rendering.markdown import RENDERER_VERSION, render

__all__ = ["LONGEST_BODY_BYTES", "RENDERER_VERSION", "Picture", "contents", "excerpt", "render"]
