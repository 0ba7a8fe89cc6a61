"""How picture files are put together: which of their bytes make the picture, and which only speak of it.

Each walker reads a file's outline and raises NotWhole when it does not end where it should. What is dropped is
metadata, comments, thumbnails, and whatever follows the picture's end.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from mmap import mmap


class NotWhole(ValueError):
    """The file is cut off, or not built as its kind is."""


@dataclass(slots=True)
class Outline:
    """The pieces of a file, in order: places in it (start, end) that stay, or bytes in the place of others."""

    kept: list[tuple[int, int] | bytes] = field(default_factory=list)
    dropped: list[tuple[int, int]] = field(default_factory=list)
    frame_count: int = 1
    # Of a JPEG that cannot be decoded row by row: what all of its coefficients take.
    held_bytes: int = 0

    def put(self, start: int, end: int, *, stays: bool) -> None:
        """Add the next piece."""
        if end > start:
            (self.kept if stays else self.dropped).append((start, end))


_MOST_PARTS = 200_000
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_PNG_KEPT = {
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD",
    b"pHYs", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_ICC_FLAG, _EXIF_AND_XMP_FLAGS = 0x20, 0x0C


def outline_jpeg(data: mmap, *, keeps_profile: bool) -> Outline:
    """Segments (ITU T.81, annex B); of the application's own, JFIF, Adobe's colour transform, and the profile stay."""
    outline, at, scan_count = Outline(), 2, 0
    _require(data[:2] == b"\xff\xd8")
    outline.put(0, 2, stays=True)
    for _ in range(_MOST_PARTS):
        _require(data[at : at + 1] == b"\xff")
        marker = _JPEG_MARKER.match(data, at)
        _require(marker is not None)
        assert marker is not None
        code, begin = marker[1][0], marker.end()
        if code == 0xD9:
            outline.put(begin - 2, begin, stays=True)
            outline.put(begin, len(data), stays=False)
            outline.held_bytes *= scan_count > 1
            return outline
        end = begin + int.from_bytes(data[begin : begin + 2])
        _require(end >= begin + 2)
        head = data[begin + 2 : begin + 14]
        is_profile = code == 0xE2 and head == b"ICC_PROFILE\0"
        is_words = 0xE0 <= code <= 0xEF or code == 0xFE or 0xF0 <= code <= 0xFD
        is_needed = (code == 0xE0 and head[:5] == b"JFIF\0") or (code == 0xEE and head[:5] == b"Adobe")
        if code in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA):
            outline.held_bytes = _coefficient_bytes(data[begin + 2 : end])
        if code == 0xDA:
            scan_count += 1
            following = _JPEG_MARKER.search(data, end)
            _require(following is not None)
            assert following is not None
            end = following.start()
        # The marker itself is two bytes; fill bytes before it are nobody's.
        outline.put(begin - 2, end, stays=not is_words or is_needed or (is_profile and keeps_profile))
        if is_words and is_needed and end - begin > 64:
            raise NotWhole("an application segment is longer than it should be")
        at = end
    raise NotWhole("too many segments")


def outline_png(data: mmap, *, keeps_profile: bool) -> Outline:
    """Chunks (PNG, section 5), each with its checksum."""
    outline, at, is_first = Outline(), 8, True
    _require(data[:8] == b"\x89PNG\r\n\x1a\n")
    outline.put(0, 8, stays=True)
    for _ in range(_MOST_PARTS):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        _require(end <= len(data) and (kind == b"IHDR") == is_first)
        _require(zlib.crc32(memoryview(data)[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end]))
        is_first = False
        outline.put(at, end, stays=kind in _PNG_KEPT and (kind != b"iCCP" or keeps_profile))
        if kind == b"acTL":
            outline.frame_count = int.from_bytes(data[at + 8 : at + 12])
        if kind == b"IEND":
            outline.put(end, len(data), stays=False)
            return outline
        at = end
    raise NotWhole("too many chunks")


def outline_gif(data: mmap, *, keeps_profile: bool) -> Outline:  # noqa: ARG001 - a GIF has none
    """Blocks (GIF89a, appendix A); of the extensions, timing and the number of repeats stay."""
    outline, frame_count = Outline(), 0
    _require(data[:6] in (b"GIF87a", b"GIF89a") and len(data) > 13)
    at = 13 + _colour_table_bytes(data[10])
    outline.put(0, at, stays=True)
    for _ in range(_MOST_PARTS):
        kind, begin = data[at : at + 1], at
        if kind == b";":
            outline.put(at, at + 1, stays=True)
            outline.put(at + 1, len(data), stays=False)
            outline.frame_count = frame_count
            return outline
        if kind == b",":
            _require(at + 10 < len(data))
            frame_count += 1
            at = _skip_sub_blocks(data, at + 11 + _colour_table_bytes(data[at + 9]))
            outline.put(begin, at, stays=True)
        else:
            _require(kind == b"!" and at + 2 < len(data))
            is_repeats = data[at + 1] == 0xFF and data[at + 3 : at + 14] == b"NETSCAPE2.0"
            is_timing = data[at + 1] == 0xF9
            at = _skip_sub_blocks(data, at + 2)
            outline.put(begin, at, stays=(is_timing and at - begin == 8) or (is_repeats and at - begin == 19))
    raise NotWhole("too many blocks")


def outline_webp(data: mmap, *, keeps_profile: bool) -> Outline:
    """Chunks of RIFF; the header is written anew for what stays."""
    outline, at = Outline(), 12
    whole = 8 + int.from_bytes(data[4:8], "little")
    _require(data[:4] == b"RIFF" and data[8:12] == b"WEBP" and 20 <= whole <= len(data))
    frame_count = 0
    while at < whole:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        _require(end <= whole + size % 2 and len(outline.kept) + len(outline.dropped) < _MOST_PARTS)
        frame_count += kind == b"ANMF"
        if kind == b"VP8X":
            flags = data[at + 8] & ~(_EXIF_AND_XMP_FLAGS | (0 if keeps_profile else _ICC_FLAG))
            outline.kept.append(data[at : at + 8] + bytes([flags]) + data[at + 9 : end])
        else:
            outline.put(at, min(end, len(data)), stays=kind in _WEBP_KEPT and (kind != b"ICCP" or keeps_profile))
        at = end
    outline.put(min(at, len(data)), len(data), stays=False)
    size = sum(_length(piece) for piece in outline.kept)
    outline.kept.insert(0, b"RIFF" + (size + 4).to_bytes(4, "little") + b"WEBP")
    outline.frame_count = max(frame_count, 1)
    return outline


def pieces(data: mmap, outline: Outline) -> Iterator[bytes]:
    """The bytes that stay, no more than a mebibyte at a time."""
    for piece in outline.kept:
        if isinstance(piece, bytes):
            yield piece
        else:
            for start in range(piece[0], piece[1], 1 << 20):
                yield data[start : min(start + (1 << 20), piece[1])]


Walker = Callable[..., Outline]
WALKERS: dict[str, Walker] = {"JPEG": outline_jpeg, "PNG": outline_png, "GIF": outline_gif, "WEBP": outline_webp}


def _length(piece: tuple[int, int] | bytes) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]


def _coefficient_bytes(frame: bytes) -> int:
    height, width, components = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]), frame[5:6]
    factors = [divmod(each, 16) for each in frame[7::3]]
    _require(bool(components) and len(factors) == components[0] and all(h and v for h, v in factors))
    widest, highest = max(h for h, _v in factors), max(v for _h, v in factors)
    return sum(2 * width * height * h * v // (widest * highest) for h, v in factors)


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_sub_blocks(data: mmap, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    _require(at < len(data))
    return at + 1


def _require(condition: bool) -> None:
    if not condition:
        raise NotWhole("the file is cut off, or not built as its kind is")
