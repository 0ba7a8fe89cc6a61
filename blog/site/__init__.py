"""The owner's settings of the site, as readers see them."""
