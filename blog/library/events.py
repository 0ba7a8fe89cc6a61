"""What is recorded about libraries."""

from eventlog.kinds import declare

POST_SAVED = declare("library.saved")
POST_REMOVED = declare("library.removed")
POST_GRANTED = declare("library.granted")
GRANT_DECLINED = declare("library.grant_declined")
GRANT_WITHDRAWN = declare("library.grant_withdrawn")
