"""What is recorded about preview links."""

from eventlog.kinds import declare

PREVIEW_SHARED = declare("preview.shared")
PREVIEW_REVOKED = declare("preview.revoked")
