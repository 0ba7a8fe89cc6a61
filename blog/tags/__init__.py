"""Tags: words that posts are found under."""
