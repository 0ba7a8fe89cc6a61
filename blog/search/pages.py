"""The page of the search."""

from urllib.parse import urlencode

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import principal
from blog.search.searching import MOST_RANKED, PER_PAGE, search
from web.caching import shared
from web.database import reading
from web.errors import NotFound
from web.render import render_page

pages = Blueprint("search", __name__)

_LAST_PAGE = -(-MOST_RANKED // PER_PAGE)
# As much as goes back into the field; no more of it is looked for either.
_LONGEST_SHOWN = 1000


@pages.get("/search")
@public
@shared("q", "page")
def show() -> ResponseReturnValue:
    """What was found, or the form alone."""
    text = request.args.get("q", "").replace("\0", " ")
    number = _page_number(request.args.get("page"))
    with reading() as db:
        found = search(db, text, by=principal(), page=number)
    if number > max(1, found.page_count):
        raise NotFound("This is not a page of these results.")
    return render_page(
        "blog/search/results.html",
        text=text.strip()[:_LONGEST_SHOWN],
        found=found,
        most_ranked=MOST_RANKED,
        previous_url=_url(text, number - 1) if number > 1 else None,
        next_url=_url(text, number + 1) if number < found.page_count else None,
        canonical_url=None,
    )


def _url(text: str, number: int) -> str:
    return "/search?" + urlencode({"q": text[:_LONGEST_SHOWN], **({} if number == 1 else {"page": number})})


def _page_number(text: str | None) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _LAST_PAGE):
        raise NotFound("This is not a page of these results.")
    return int(text)
