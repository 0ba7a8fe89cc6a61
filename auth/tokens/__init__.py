"""Bearer tokens: shown once, stored as a digest, good for their scopes until they are revoked or expire."""
