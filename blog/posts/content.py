"""What a post may hold: one set of rules for forms, the API and every other way in. Pure: no database."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blog.posts import languages
from blog.posts.model import Kind, Post, Status, Visibility
from blog.rendering import LONGEST_BODY_BYTES as LONGEST_BODY_BYTES
from blog.rendering import RENDERER_VERSION, Picture
from blog.rendering.excerpts import excerpt as make_excerpt
from blog.rendering.markdown import render
from blog.tags.names import UnusableTags, normalise_tags
from storage import clock
from web.errors import Invalid

LONGEST_TITLE = 300
LONGEST_SLUG = 100
LONGEST_EXCERPT = 1000
_GENERATED_SLUG = 80

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# First parts of addresses that the site uses itself, or will: no page can have them.
RESERVED = frozenset({
    "account", "admin", "archive", "authors", "conversations", "favicon", "feed", "healthz", "join", "library", "login",
    "logout", "media", "metrics", "new", "posts", "preview", "readyz", "reset", "robots", "rss", "search", "series",
    "setup", "sitemap", "static", "tags", "v1",
})  # fmt: skip
# Control characters and halves of surrogate pairs: Unicode's categories Cc and Cs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Dates that every calendar on the way can say.
_EARLIEST, _LATEST = clock.EARLIEST + 1000 * 365 * clock.DAY, clock.LATEST - 1000 * 365 * clock.DAY


class Fault(ValueError):
    """One field breaks a rule; the message is for its author."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page depends on beside its text."""

    language: str | None = "en"  # whose quotation marks a text without a language of its own gets; None: as typed
    own_host: str | None = None  # links to all others say that they leave
    pictures: Mapping[str, Picture] = field(default_factory=dict)  # by address


@dataclass(frozen=True, slots=True)
class Content:
    """What an author decides about a post, checked, with the page already made from it."""

    title: str
    slug: str  # empty: to be made from the title
    body: str
    excerpt: str
    tags: list[str]
    status: Status
    visibility: Visibility
    publish_at: int | None
    kind: Kind
    lang: str
    html: str
    renderer_version: int
    summary: str


def prepare(
    changes: Mapping[str, Any],
    *,
    current: Post | None = None,
    parse_faults: Mapping[str, str] | None = None,
    surroundings: Surroundings | None = None,
) -> Content:
    """The content after `changes`, from what is there (`current`) or from nothing.

    Raises Invalid for all fields at once, those among them that the form could not read (`parse_faults`).

    Values are of the right type already (strings, a list for `tags`, microseconds for `publish_at`); unknown names are
    ignored. Rendering happens here, before any transaction, because long texts take their time.
    """
    faults: dict[str, str] = dict(parse_faults or {})
    values: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        given = changes[name] if name in changes else _current_value(current, name)
        try:
            values[name] = check(given)
        except (Fault, UnusableTags) as fault:
            faults.setdefault(name, str(fault))
    if values.get("kind") == Kind.PAGE and values.get("slug") in RESERVED:
        faults.setdefault("slug", "The site itself uses this address. Choose another one.")
    if faults:
        raise Invalid(faults)
    if current is not None and (current.body, current.lang) == (values["body"], values["lang"]):
        # The same text in the same language has the same page; that of an older renderer is made anew by a job.
        html, renderer_version = current.html, current.renderer_version
    else:
        html = render_in(values["body"], surroundings or Surroundings(), lang=values["lang"])
        renderer_version = RENDERER_VERSION
    summary = values["excerpt"] or make_excerpt(html)
    return Content(**values, html=html, renderer_version=renderer_version, summary=summary)


def render_in(body_markdown: str, surroundings: Surroundings, *, lang: str) -> str:
    """The page of a text, in its surroundings; `lang`: its own language, or empty."""
    s = surroundings
    return render(body_markdown, language=lang or s.language, pictures=s.pictures, own_host=s.own_host)


def slug_from(title: str) -> str:
    """A slug for a title in any script; never empty."""
    # It takes a moment to load, which each command would wait for.
    from slugify import slugify

    return slugify(title, max_length=_GENERATED_SLUG, word_boundary=True) or "post"


def _current_value(current: Post | None, name: str) -> Any:
    if current is not None:
        return getattr(current, name)
    return {
        "tags": [],
        "status": Status.DRAFT,
        "visibility": Visibility.PUBLIC,
        "publish_at": None,
        "kind": Kind.POST,
    }.get(name, "")


def check_title(title: str) -> str:
    """A title as it is stored. Raises Fault."""
    if len(title) > LONGEST_TITLE:
        raise Fault(f"A title has at most {LONGEST_TITLE} characters; this one has {len(title):,}.")
    title = unicodedata.normalize("NFC", _printable(title, allowed="")).strip()
    if len(title) > LONGEST_TITLE:
        raise Fault(f"A title has at most {LONGEST_TITLE} characters, counted as they are stored.")
    # A title of spaces, marks or invisible characters would be a link that nobody can see.
    if not any(unicodedata.category(character)[0] in "LNPS" for character in title):
        raise Fault("Give it a title.")
    return title


def check_slug(slug: str) -> str:
    """A slug that somebody chose, or none. Raises Fault."""
    if slug and not SLUG.fullmatch(slug):
        raise Fault("Use small letters a to z, digits, and single dashes between them, or leave it empty.")
    if len(slug) > LONGEST_SLUG:
        raise Fault(f"An address has at most {LONGEST_SLUG} characters.")
    return slug


def _check_body(body: str) -> str:
    body = _printable(body.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n\t")
    size = len(body.encode())
    if size > LONGEST_BODY_BYTES:
        raise Fault(f"A text has at most 1 MiB; this one is {size - LONGEST_BODY_BYTES:,} bytes longer.")
    return body


def _check_excerpt(excerpt: str) -> str:
    if len(excerpt) > LONGEST_EXCERPT:
        raise Fault(f"An excerpt has at most {LONGEST_EXCERPT:,} characters; this one has {len(excerpt):,}.")
    return unicodedata.normalize(
        "NFC", _printable(excerpt.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n")
    ).strip()


def _check_status(status: str) -> Status:
    try:
        return Status(status)
    except ValueError:
        raise Fault("Choose draft or published.") from None


def _check_kind(kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise Fault("Choose post or page.") from None


def _check_lang(lang: str) -> str:
    if len(lang) > languages.LONGEST:
        raise Fault(f"A language tag has at most {languages.LONGEST} characters.")
    if not lang.strip(" "):
        return ""
    tag = languages.normalise_language(lang)
    if tag is None:
        raise Fault(f"{languages.UNUSABLE} Empty: the language of the site.")
    return tag


def _check_visibility(visibility: str) -> Visibility:
    try:
        return Visibility(visibility)
    except ValueError:
        raise Fault("Choose public, members or granted.") from None


def _check_publish_at(at: int | None) -> int | None:
    if at is not None and not _EARLIEST <= at <= _LATEST:
        raise Fault("Choose a year between 1001 and 8999.")
    return at


def _printable(text: str, *, allowed: str) -> str:
    for match in _UNPRINTABLE.finditer(text):
        if match[0] not in allowed:
            line = text.count("\n", 0, match.start()) + 1
            raise Fault(f"Line {line} holds a character that cannot be shown (U+{ord(match[0]):04X}). Take it out.")
    return text


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "title": check_title,
    "slug": check_slug,
    "body": _check_body,
    "excerpt": _check_excerpt,
    "tags": normalise_tags,
    "status": _check_status,
    "visibility": _check_visibility,
    "publish_at": _check_publish_at,
    "kind": _check_kind,
    "lang": _check_lang,
}
