"""Telling what a file is by decoding it, and taking out of it what makes the picture.

One picture is decoded at a time in a process, and none that would take more memory than `_MOST_MEMORY`.
"""

import struct
import tempfile
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import IO

from PIL import Image, ImageFile

from blog.media.avif import outline_avif
from blog.media.containers import WALKERS, Outline, pieces
from blog.media.disguises import is_disguised
from blog.media.turning import turned
from web.errors import Busy, Invalid

MOST_PIXELS = 40_000_000
_MOST_FRAMES = 1000
_MOST_FRAME_PIXELS = 250_000_000
_LONGEST_SIDE = 16_383  # what WebP can say
_MOST_MEMORY = 84_000_000
_WAIT_SECONDS = 30.0

_TYPES = {
    "JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif",
    "WEBP": "image/webp", "AVIF": "image/avif",
}  # fmt: skip
# Bytes for a pixel while it is decoded, as measured; of the others, what a pixel of their mode takes.
_COSTS = {"WEBP": 17, "AVIF": 11}
_FRAMES_COST = 16
_MODE_COSTS = {"1": 1, "L": 1, "P": 1, "I;16": 2}
_FORMATS = [kind for kind in _TYPES if kind != "MPO"]
_LARGEST_TURNED_WEBP = (1600, 1600)
_QUALITIES = {"JPEG": 92, "WEBP": 90}
_AT_ONCE = 1024 * 1024
_ORIENTATION = 0x0112

# What Pillow and its libraries raise on what is no picture, or only a part of one.
_UNREADABLE = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, MemoryError, AttributeError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip

_NO_PICTURE = "This is not a picture that can be shown here. Use a whole JPEG, PNG, GIF, WebP or AVIF file."
_DISGUISED = "This file is a picture and something else as well. Save it anew as a picture."

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
ImageFile.LOAD_TRUNCATED_IMAGES = False
# Between once and twice the limit Pillow only warns.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file turned out to be."""

    type: str
    width: int
    height: int
    is_animated: bool


@contextmanager
def decoding_turn() -> Iterator[None]:
    """While the block runs, nobody else in this process decodes. Raises Busy."""
    if not _one_at_a_time.acquire(timeout=_WAIT_SECONDS):
        raise Busy("Other pictures are being looked at. Try again in a minute.", retry_after_seconds=30)
    try:
        yield
    finally:
        _one_at_a_time.release()


def clean(source: IO[bytes], write: Callable[[bytes], object]) -> Decoded:
    """Decode a file to its end, and write what makes the picture: upright, without metadata.

    `source` is a real file. Raises Invalid (`file`) for what is no picture, not whole, too large or something else as
    well; what was written until then is good for nothing.
    """
    with decoding_turn():
        try:
            return _clean(source, write)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _invalid(
                f"It has too many pixels: at most {MOST_PIXELS // 10**6} million. Make it smaller."
            ) from error
        except _UNREADABLE as error:
            raise _invalid(_NO_PICTURE) from error


@contextmanager
def opened(source: IO[bytes], *, least_width: int | None = None, held_bytes: int = 0) -> Iterator[Image.Image]:
    """A picture whose cost is known to be bearable. A JPEG comes reduced where it is large, or wider than is needed.

    `held_bytes`: what decoding takes beside the pixels.
    """
    source.seek(0)
    with Image.open(source, formats=_FORMATS) as image:
        if image.format in ("JPEG", "MPO"):
            width, height = image.size
            needed = next((n for n in (8, 4, 2) if width // n >= (least_width or width)), 1)
            bearable = next((n for n in (1, 2, 4) if 4 * width * height // n**2 + held_bytes <= _MOST_MEMORY), 8)
            n = max(needed, bearable)
            image.draft(None, (max(1, width // n), max(1, height // n)))
        yield image


def orientation_of(image: Image.Image) -> int:
    """How a picture is to be turned, as EXIF says it; 1: not at all."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in range(2, 9) else 1


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a file before it is decoded."""

    kind: str
    width: int
    height: int
    outline: Outline
    is_animated: bool
    orientation: int
    profile: bytes | None  # None: not needed


def _clean(source: IO[bytes], write: Callable[[bytes], object]) -> Decoded:
    look = _look_at(source)
    if look.is_animated:
        _decode_frames(source, look.outline.frame_count)
    elif look.orientation != 1 and look.kind != "AVIF":
        return _save_upright(source, look, write)
    else:
        with opened(source, least_width=512, held_bytes=look.outline.held_bytes) as image:
            image.load()
    with mmap(source.fileno(), 0, access=ACCESS_READ) as data:
        for piece in pieces(data, look.outline):
            write(piece)
    # The container of an AVIF says how it is turned, and keeps saying it.
    size = (look.height, look.width) if look.orientation >= 5 else (look.width, look.height)
    return Decoded(_TYPES[look.kind], *size, is_animated=look.is_animated)


def _look_at(source: IO[bytes]) -> _Look:
    source.seek(0)
    with Image.open(source, formats=_FORMATS) as image:
        kind, (width, height) = str(image.format).replace("MPO", "JPEG"), image.size
        if width * height > MOST_PIXELS or max(width, height) > _LONGEST_SIDE:
            raise _too_large(width, height)
        profile = image.info.get("icc_profile") or b""
        # Browsers take a picture without one for sRGB.
        keeps_profile = bool(profile) and b"sRGB" not in profile.replace(b"\0", b"")
        with mmap(source.fileno(), 0, access=ACCESS_READ) as data:
            outline = (outline_avif if kind == "AVIF" else WALKERS[kind])(data, keeps_profile=keeps_profile)
            if is_disguised(data, outline.dropped, profile if keeps_profile else b""):
                raise _invalid(_DISGUISED)
        _check_cost(image, kind, outline)
        is_animated = outline.frame_count > 1
        orientation = 1 if is_animated else orientation_of(image)
        return _Look(kind, width, height, outline, is_animated, orientation, profile if keeps_profile else None)


def _check_cost(image: Image.Image, kind: str, outline: Outline) -> None:
    width, height = image.size
    if kind == "AVIF" and outline.frame_count > 1:
        raise _invalid("An AVIF file that moves is not taken. Save it as WebP or GIF.")
    if outline.frame_count > 1:
        if outline.frame_count > _MOST_FRAMES or outline.frame_count * width * height > _MOST_FRAME_PIXELS:
            raise _invalid(f"It moves for too long: at most {_MOST_FRAMES:,} frames, and fewer where they are large.")
        cost = _FRAMES_COST
    elif kind == "JPEG":
        if outline.held_bytes > _MOST_MEMORY * 9 // 10:
            raise _invalid(
                "It is a progressive JPEG, which at this size takes too much memory. Save it as a plain one."
            )
        return
    else:
        cost = _COSTS.get(kind, _MODE_COSTS.get(image.mode, 4))
    if width * height * cost > _MOST_MEMORY:
        raise _too_large(width, height, most=_MOST_MEMORY // cost)


def _decode_frames(source: IO[bytes], frame_count: int) -> None:
    with opened(source) as image:
        found = getattr(image, "n_frames", 1)
        if found not in (frame_count, frame_count + 1):
            raise ValueError("the number of frames is another than the file says")
        for number in range(found):
            image.seek(number)
            image.load()


def _save_upright(source: IO[bytes], look: _Look, write: Callable[[bytes], object]) -> Decoded:
    with opened(source, held_bytes=look.outline.held_bytes) as image:
        image.load()
        if look.kind == "WEBP":  # its encoder takes many times a pixel
            image.thumbnail(_LARGEST_TURNED_WEBP)
        transparency = image.info.get("transparency")
        upright = turned(image, look.orientation)
    upright.info.clear()
    if transparency is not None:
        upright.info["transparency"] = transparency
    with tempfile.TemporaryFile() as saved:
        upright.save(saved, look.kind, icc_profile=look.profile, quality=_QUALITIES.get(look.kind))
        saved.seek(0)
        for part in iter(lambda: saved.read(_AT_ONCE), b""):
            write(part)
    return Decoded(_TYPES[look.kind], upright.width, upright.height, is_animated=False)


def _invalid(sentence: str) -> Invalid:
    return Invalid({"file": sentence})


def _too_large(width: int, height: int, *, most: int = MOST_PIXELS) -> Invalid:
    have, may = width * height / 1e6, most / 1e6
    return _invalid(
        f"It has {width:,} × {height:,} pixels ({have:.1f} million). A picture of this kind may have "
        f"{may:.1f} million, and {_LONGEST_SIDE:,} to a side. Make it smaller."
    )
