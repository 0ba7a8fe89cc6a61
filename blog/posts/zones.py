"""The time zone in which whoever is writing types times."""

from zoneinfo import ZoneInfo

from auth.principal import principal
from web.render import current_site


def writers_zone() -> ZoneInfo:
    """That of the person who asks, or the site's."""
    name = principal().time_zone
    return current_site().zone if name is None else ZoneInfo(name)
