"""What is stored in place of a secret that opens something, so that nobody who reads the database can use it."""

import hashlib


def digest_of(secret: str) -> str:
    """SHA-256, in hexadecimal digits. For secrets that were drawn at random: for these a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
