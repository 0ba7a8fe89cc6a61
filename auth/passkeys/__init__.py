"""Passkeys: a key that never leaves its owner's device and opens the place without a password."""
