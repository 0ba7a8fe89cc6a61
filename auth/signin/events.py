"""What is recorded about the first start."""

from eventlog.kinds import declare

SITE_SET_UP = declare("site.set_up")
USER_RESET_LINK_MADE = declare("user.reset_link_made")
