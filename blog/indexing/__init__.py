"""The search index: the words of every post that is out or waits to come out, kept by whoever changes a post."""
