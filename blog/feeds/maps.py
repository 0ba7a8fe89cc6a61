"""What programs and people find their way by: sitemap, robots.txt, and the archive by year and month."""

from itertools import groupby

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import VISITOR, principal
from blog.feeds import queries
from blog.feeds.archive import count_months, read_month, with_titles
from blog.feeds.months import Month, parse_month
from storage import clock
from web.caching import shared
from web.cursors import cursor_of_page
from web.database import reading
from web.errors import Invalid, NotFound
from web.render import absolute_url, current_site, render_feed, render_page

pages = Blueprint("maps", __name__)

# In one file, beside the home page: with the longest addresses it stays well below the protocol's 50 MiB, and small
# enough for the page cache.
_MOST_ADDRESSES = 5_000
# In the whole archive or on one page of a month.
_MOST_TITLES = 200
_HIDDEN = ("/account", "/admin", "/login", "/new", "/preview/", "/setup/", "/join/", "/reset/", "/v1/")


@pages.get("/sitemap.xml")
@public
@shared("part")
def sitemap() -> ResponseReturnValue:
    """Every address that a visitor may read, whoever asks; of many, an index of files with so many each."""
    at, part = clock.now(), _part(request.args.get("part"))
    with reading() as db:
        parts = 1 if part else -(-queries.count_addresses(db, by=VISITOR, at=at) // _MOST_ADDRESSES)
        before = _MOST_ADDRESSES * ((part or 1) - 1)
        start = None if parts > 1 else queries.find_place(db, by=VISITOR, at=at, number=before)
        found = queries.list_addresses(db, by=VISITOR, at=at, limit=_MOST_ADDRESSES, start=start) if start else []
    if parts > 1:
        urls = [absolute_url(f"/sitemap.xml?part={number}") for number in range(1, parts + 1)]
        return render_feed("blog/feeds/sitemap_index.xml", mimetype="application/xml", urls=urls)
    if start is None and before:
        raise NotFound
    home_url = None if before else absolute_url("/")
    entries = [(absolute_url(address.path), address.changed_at) for address in found]
    return render_feed("blog/feeds/sitemap.xml", mimetype="application/xml", home_url=home_url, entries=entries)


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
@shared("month", "after")
def archive() -> ResponseReturnValue:
    """Every year and month in which something was published, and how much; of few posts their titles too."""
    asked, by, at, zone = request.args.get("month"), principal(), clock.now(), current_site().zone
    if asked is not None:
        return _month(asked)
    if "after" in request.args:
        raise NotFound("This is not a page of this list.")
    with reading() as db:
        months = count_months(db, by=by, at=at, zone=zone)
        if sum(each.post_count for each in months) <= _MOST_TITLES:
            months = with_titles(db, months, by=by, at=at)
    years = [(year, list(group)) for year, group in groupby(months, key=lambda each: each.month.year)]
    return render_page("blog/feeds/archive.html", years=years)


def _month(name: str) -> ResponseReturnValue:
    month, after, zone = parse_month(name), cursor_of_page(request.args.get("after")), current_site().zone
    if month is None:
        raise NotFound("This is no month. Write it as 2026-11.")
    with reading() as db:
        page = read_month(db, month, by=principal(), at=clock.now(), zone=zone, limit=_MOST_TITLES, after=after)
    if not page.titles:
        raise NotFound("Nothing was published in that month.")
    path = f"/archive?month={month.name}"

    def link(other: Month | None) -> tuple[Month, int] | None:
        return other and (other, other.middle(zone))

    return render_page(
        "blog/feeds/month.html",
        month=month,
        at=month.middle(zone),
        titles=page.titles,
        older_url=page.next and f"{path}&after={page.next}",
        newer_url=None if after is None else path,
        earlier=link(page.earlier),
        later=link(page.later),
        canonical_url=absolute_url(path) if after is None else None,
    )


def _part(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) > 0):
        raise Invalid({"part": "This is no part of the map."})
    return int(text)
