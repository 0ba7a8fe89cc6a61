"""What is recorded about the first start."""

from eventlog.kinds import declare

SITE_SET_UP = declare("site.set_up")
