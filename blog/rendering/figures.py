"""Images: with their size and their smaller copies when we keep them, and with a caption when they have a title."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from blog.rendering.sanitising import SIZES

_ALONE = (["image"], ["link_open", "image", "link_close"])


class Picture(Protocol):
    """What is known of an image that is kept here."""

    @property
    def width(self) -> int:
        """Pixels as displayed, orientation applied."""

    @property
    def height(self) -> int:
        """Likewise."""

    @property
    def srcset(self) -> str:
        """Copies by width, `/media/a-640.webp 640w, /media/a-1280.webp 1280w`; empty if there are none (yet)."""

    @property
    def alt(self) -> str:
        """What it shows, for texts that do not say it themselves; empty if it is decoration."""


def describe_pictures(pictures: Mapping[str, Picture]) -> Callable[[StateCore], None]:
    """Make a rule that gives images whose address is in `pictures` their size, so that nothing jumps on arrival."""

    def describe(state: StateCore) -> None:
        is_first = True
        for token in state.tokens:
            for part in token.children or ():
                picture = pictures.get(str(part.attrs.get("src", ""))) if part.type == "image" else None
                if picture:
                    _describe(part, picture, loading="eager" if is_first else "lazy")
                    is_first = False

    return describe


def _describe(image: Token, picture: Picture, *, loading: str) -> None:
    if not image.content.strip():
        image.children = [Token("text", "", 0, content=picture.alt)]
    image.attrSet("width", str(picture.width))
    image.attrSet("height", str(picture.height))
    if picture.srcset:
        image.attrSet("srcset", picture.srcset)
        image.attrSet("sizes", SIZES)
    image.attrSet("loading", loading)


def make_figures(state: StateCore) -> None:
    """Make a figure of every image with a title that is alone in its paragraph; the title becomes its caption."""
    tokens: list[Token] = []
    for i, token in enumerate(state.tokens):
        tokens.append(token)
        if token.type != "inline":
            continue
        before, after = state.tokens[i - 1], state.tokens[i + 1]
        if before.type == "paragraph_open" and not before.hidden and after.type == "paragraph_close":
            caption = _take_caption(token.children or [])
            if caption:
                before.tag = after.tag = "figure"
                tokens += _write_caption(caption)
    state.tokens = tokens


def _take_caption(parts: list[Token]) -> str:
    if [part.type for part in parts] not in _ALONE:
        return ""
    image = parts[len(parts) // 2]
    caption = str(image.attrs.get("title", "")).strip()
    if caption:
        del image.attrs["title"]
    return caption


def _write_caption(caption: str) -> Iterator[Token]:
    yield Token("figcaption_open", "figcaption", 1, block=True)
    yield Token("inline", "", 0, content=caption, children=[Token("text", "", 0, content=caption)])
    yield Token("figcaption_close", "figcaption", -1, block=True)
