"""What is recorded about second factors. No code and no secret is in it."""

from eventlog.kinds import declare

SECOND_FACTOR_ENABLED = declare("second_factor.enabled")
SECOND_FACTOR_DISABLED = declare("second_factor.disabled")
RECOVERY_CODES_MADE = declare("recovery_codes.made")
RECOVERY_CODES_USED = declare("recovery_codes.used")
RECOVERY_CODES_REMOVED = declare("recovery_codes.removed")
