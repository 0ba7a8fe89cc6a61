"""What programs and people find their way by: sitemap, robots.txt, and the archive by year and month."""

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import VISITOR, principal
from blog.feeds import queries
from storage import clock
from web.caching import shared
from web.database import reading
from web.errors import Invalid, NotFound
from web.render import absolute_url, current_site, render_feed, render_page

pages = Blueprint("maps", __name__)

# The protocol's own limit (sitemaps.org); beyond it there is an index of several files.
_MOST_ADDRESSES = 50_000
_HIDDEN = ("/account", "/admin", "/login", "/new", "/preview/", "/setup/", "/join/", "/reset/", "/v1/")


@pages.get("/sitemap.xml")
@public
@shared("part")
def sitemap() -> ResponseReturnValue:
    """Every address that a visitor may read, whoever asks."""
    at = clock.now()
    part = _whole_number(request.args.get("part"))
    with reading() as db:
        count = queries.count_addresses(db, by=VISITOR, at=at)
        parts = max(1, -(-count // _MOST_ADDRESSES))
        if part is None and parts > 1:
            urls = [absolute_url(f"/sitemap.xml?part={number}") for number in range(1, parts + 1)]
            return render_feed("blog/feeds/sitemap_index.xml", mimetype="application/xml", urls=urls)
        if part is not None and not 1 <= part <= parts:
            raise NotFound
        offset = ((part or 1) - 1) * _MOST_ADDRESSES
        found = queries.list_addresses(db, by=VISITOR, at=at, limit=_MOST_ADDRESSES, offset=offset)
    entries = [(absolute_url(address.path), address.changed_at) for address in found]
    return render_feed(
        "blog/feeds/sitemap.xml", mimetype="application/xml", home_url=absolute_url("/"), entries=entries
    )


@pages.get("/robots.txt")
@public
@shared()
def robots() -> Response:
    """What robots may look at, and where the map is."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _HIDDEN),
        "",
        f"Sitemap: {absolute_url('/sitemap.xml')}",
    ]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@pages.get("/archive")
@public
@shared("year")
def archive() -> ResponseReturnValue:
    """What was published in one year, by month, and how much in each of the others."""
    at, zone = clock.now(), current_site().zone
    asked = _whole_number(request.args.get("year"))
    with reading() as db:
        moments = queries.list_moments(db, by=principal(), at=at)
        years = Counter(clock.to_datetime(moment).astimezone(zone).year for moment in moments)
        if asked is not None and asked not in years:
            raise NotFound("Nothing was published in that year.")
        year = asked or max(years, default=0)
        posts = []
        if years:
            start, end = _new_year(year, zone), _new_year(year + 1, zone)
            posts = queries.list_between(db, by=principal(), at=at, start=start, end=end)
    months = [
        (month, list(group))
        for month, group in groupby(
            posts, key=lambda post: clock.to_datetime(post.published_at or 0).astimezone(zone).month
        )
    ]
    return render_page("blog/feeds/archive.html", year=year, years=sorted(years.items(), reverse=True), months=months)


def _new_year(year: int, zone: ZoneInfo) -> int:
    return clock.from_datetime(datetime(year, 1, 1, tzinfo=zone).astimezone(UTC))


def _whole_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) > 0):
        raise Invalid({"year": "This is no year, and no part of the map."})
    return int(text)
