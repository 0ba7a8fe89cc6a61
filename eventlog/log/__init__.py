"""The log itself: events, appended in the transaction of the change they record, read, verified and exported."""
