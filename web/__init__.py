"""Speaks HTTP: settings, errors, form tokens, headers, negotiation, the server. It knows no user and no post.

It may import `storage` alone; what it needs of the floors above (who is asking, which session a form belongs to) is
handed in by `app.py`.
"""
