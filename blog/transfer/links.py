"""Links to pictures: `/media/<digest>` on the site, `media/<digest>.<ending>` in the folder. Pure.

What goes out comes back the same. A text may hold by itself what looks like a link into the folder: that is written
`././media/…`, as nobody else would.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/avif": "avif",
}  # fmt: skip
MEDIA = "media"
OUTSIDE = ".."

# Where Markdown and HTML have an address: in parentheses, after a label, in an attribute.
_LINK = re.compile(
    r"(?:\]\([ \t]*|^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*|\b(?:src|href)[ \t]*=[ \t]*(?=[\"']))"
    r"(?:<([^<>\n]{1,2000})>|[\"']([^\"'<>\n]{1,2000})[\"']|([^\s<>()\"']{1,2000})(?=[\s)]|\Z))",
    re.MULTILINE,
)
_LONGEST = 1000
_ON_SITE = re.compile(r"/media/([0-9a-f]{64})", re.ASCII)
_IN_FOLDER = re.compile(rf"{MEDIA}/[0-9a-f]{{64}}\.(?:{'|'.join(ENDINGS.values())})", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|heic)", re.IGNORECASE)
_MARK = "././"


def digests_in(body: str) -> list[str]:
    """The pictures of the site that a text links to, each once, in its order."""
    found = (_ON_SITE.fullmatch(target) for target in _targets(body))
    return list(dict.fromkeys(match[1] for match in found if match))


def outgoing(body: str, names: Mapping[str, str]) -> str:
    """The text for a file at the top of the folder; `names`: of the pictures that are in the folder, by digest."""

    def to_file(target: str) -> str:
        match = _ON_SITE.fullmatch(target)
        if match and match[1] in names:
            return f"{MEDIA}/{names[match[1]]}"
        return _MARK + target if _is_ours(target, "") else target

    return _replace(body, to_file)


def incoming(body: str, base: str, find: Callable[[str, str], str]) -> str:
    """The text for the site; `base`: the file's own folder in the folder (`a/b`, empty: the top).

    `find` is given each link that may be to a picture and the path that it leads to, and says what is to stand there.
    """

    def to_site(target: str) -> str:
        if target.startswith(_MARK) and _is_ours(target.removeprefix(_MARK), base):
            return target.removeprefix(_MARK)
        path = resolve(target, base)
        return target if path is None else find(target, path)

    return _replace(body, to_site)


def resolve(target: str, base: str) -> str | None:
    """The path in the folder that a link leads to; OUTSIDE when it leads out of it, None when it is to no picture."""
    if len(target) > _LONGEST or _SCHEME.match(target) or target.startswith("//"):
        return None
    path = unquote(re.split("[?#]", target, maxsplit=1)[0])
    if "\0" in path or not _PICTURE.search(path) or not _PICTURE.fullmatch(path[path.rfind(".") :]):
        return None
    parts = [] if path.startswith("/") or not base else base.split("/")
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return OUTSIDE
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _is_ours(target: str, base: str) -> bool:
    return _IN_FOLDER.fullmatch(resolve(target, base) or "") is not None


def _targets(body: str) -> Iterator[str]:
    return (match[match.lastindex or 0] for match in _LINK.finditer(body))


def _replace(body: str, change: Callable[[str], str]) -> str:
    def changed(match: re.Match[str]) -> str:
        group = match.lastindex or 0
        begin, end = match.start(group) - match.start(), match.end(group) - match.start()
        return f"{match[0][:begin]}{change(match[group])}{match[0][end:]}"

    return _LINK.sub(changed, body)
