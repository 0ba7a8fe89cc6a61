"""The site itself: one row that says what it is called and how it writes dates."""
