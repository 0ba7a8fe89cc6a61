"""The server: Waitress with our own channel, task and parser, in supervised processes on one socket.

It runs any WSGI application, and knows nothing of ours.
"""
