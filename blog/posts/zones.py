"""The time zone in which whoever is writing types times."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auth.principal import principal
from web.render import current_site

_LONGEST_NAME = 100


def writers_zone() -> ZoneInfo:
    """That of the person who asks, or the site's."""
    name = principal().time_zone
    return current_site().zone if name is None else ZoneInfo(name)


def zone_named(name: str | None, default: ZoneInfo) -> ZoneInfo:
    """The zone in which a form was filled in: the one it names, which need not be its writer's any more."""
    if not name or len(name) > _LONGEST_NAME:
        return default
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return default
