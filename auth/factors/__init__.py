"""What somebody shows besides a password: codes from an app, and recovery codes for when device or password is gone."""
