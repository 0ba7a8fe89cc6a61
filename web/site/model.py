"""The table of one row, and what is true of it."""

from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage.schema import metadata

site_table = sa.Table(
    "site",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tagline", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),  # BCP 47
    sa.Column("time_zone", sa.Text, nullable=False),  # IANA name
    # Grows with every change that readers can see; a page made from an older one is stale.
    sa.Column("content_version", sa.Integer, nullable=False),
    sa.Column("registration", sa.Text, nullable=False, server_default="invitation"),
    # How many questions one person may ask posts in a day.
    sa.Column("questions_a_day", sa.Integer, nullable=False, server_default=sa.text("200")),
    sa.CheckConstraint("id = 1", name="single"),
)


class Registration(StrEnum):
    """Who may make an account."""

    CLOSED = "closed"
    INVITATION = "invitation"
    OPEN = "open"


class Site(NamedTuple):
    """How the site presents itself."""

    name: str = "Byline"
    tagline: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    content_version: int = 0
    registration: str = Registration.INVITATION
    questions_a_day: int = 200

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that dates are shown in."""
        return ZoneInfo(self.time_zone)

    @property
    def is_open(self) -> bool:
        """Whether anybody may make an account."""
        return self.registration == Registration.OPEN
