"""Mail, where the site has a server for it: one text to one address, and never said to be sent before it was taken."""
