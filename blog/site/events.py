"""What is recorded about the site's settings."""

from eventlog.kinds import declare

SETTINGS_CHANGED = declare("settings.changed")
