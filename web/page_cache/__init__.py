"""Pages that nobody changed, answered from bytes that were rendered before: a WSGI layer in front of the application.

Only what every visitor gets alike is kept, and only until something that readers can see is changed.
"""
