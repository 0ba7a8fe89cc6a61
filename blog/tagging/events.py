"""What is recorded about tags."""

from eventlog.kinds import declare

TAG_RENAMED = declare("tag.renamed")
TAG_RENAMING_STOPPED = declare("tag.renaming_stopped")
