"""What the log records of itself, and of the server that keeps it."""

from eventlog.kinds import declare

LOG_EXPORTED = declare("log.exported")
LOG_RETENTION_APPLIED = declare("log.retention_applied")
LOG_ERASURE_APPLIED = declare("log.erasure_applied")
ALSO = "also"  # in its payload: ids of events that are about that person though their subject is something else
SERVER_STARTED = declare("server.started")
OPERATION_DISPOSED = declare("operation.disposed")
LOG_RETENTION_CHANGED = declare("log.retention_changed")
BACKUP_MADE = declare("backup.made")
BACKUP_RESTORED = declare("backup.restored")
