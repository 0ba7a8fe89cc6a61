"""Series: posts in an order, under a title of their own."""
