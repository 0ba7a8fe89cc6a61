"""Every statement about the site's row."""

import sqlalchemy as sa

from web.site.model import Registration, Site, site_table

_COLUMNS = [site_table.c[name] for name in Site._fields]
CONTENT_VERSION = sa.select(site_table.c.content_version).where(site_table.c.id == 1)
SITE = sa.select(*_COLUMNS).where(site_table.c.id == 1)


def read_site(db: sa.Connection) -> Site:
    """The site as it is now."""
    return Site._make(db.execute(SITE).one())


def change_site(db: sa.Connection, *, name: str, tagline: str, language: str, time_zone: str) -> None:
    """Set what the site is called and how it writes dates; readers see it, so pages grow older."""
    values = {"name": name, "tagline": tagline, "language": language, "time_zone": time_zone}
    db.execute(sa.update(site_table).values(**values))
    touch(db)


def change_registration(db: sa.Connection, registration: Registration) -> None:
    """Set who may make an account. Pages that are kept for readers do not show it."""
    db.execute(sa.update(site_table).values(registration=registration))


def change_questions_a_day(db: sa.Connection, count: int) -> None:
    """Set how many questions one person may ask posts in a day."""
    db.execute(sa.update(site_table).values(questions_a_day=count))


def touch(db: sa.Connection) -> None:
    """Readers can see what this transaction changes: every page made before it is older now."""
    db.execute(sa.update(site_table).values(content_version=site_table.c.content_version + 1))
