"""What an AVIF file (ISO/IEC 23008-12) is made of. Places in it are written as numbers, so nothing may move.

What only speaks of the picture is overwritten where it stands, with EXIF that says nothing, or with zeros.
"""

from collections.abc import Iterator
from mmap import mmap

from blog.media.containers import NotWhole, Outline

_KEPT = {b"ftyp", b"meta", b"mdat"}
_MOST_BOXES = 10_000
# The place of the TIFF header in it, and such a header with an empty list behind it.
_EMPTY_EXIF = b"\0\0\0\0" + b"MM\0*\0\0\0\x08" + b"\0\0" + b"\0\0\0\0"

Box = tuple[bytes, int, int, int]  # kind, start, start of its content, end


def outline_avif(data: mmap, *, keeps_profile: bool) -> Outline:  # noqa: ARG001 - the profile is a few bytes of `meta`
    """Boxes; metadata items and boxes of other kinds are blanked. Raises NotWhole, also for sequences."""
    outline = Outline()
    blanks: list[tuple[int, int, bytes]] = []
    end = 0
    for kind, _start, content, end in _boxes(data, 0, len(data)):
        if kind == b"moov":
            outline.frame_count = 2
        if kind == b"meta":
            blanks += _metadata_places(data, content + 4, end)
        if kind not in _KEPT:
            blanks.append((content, end, b""))
    at = 0
    for start, stop, filling in sorted(blanks):
        if start < at or stop > end:
            raise NotWhole("metadata lie where they cannot")
        outline.put(at, start, stays=True)
        outline.put(start, stop, stays=False)
        outline.kept.append(filling[: stop - start].ljust(stop - start, b"\0"))
        at = stop
    outline.put(at, end, stays=True)
    outline.put(end, len(data), stays=False)
    return outline


def _boxes(data: mmap, at: int, end: int) -> Iterator[Box]:
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            break
        size, kind, content = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, content = int.from_bytes(data[at + 8 : at + 16]), at + 16
        size = size or end - at
        if not kind.isalnum() and kind not in (b"url ", b"urn "):
            break  # no box any more: what follows is nobody's
        if size < content - at or at + size > end:
            raise NotWhole("a box does not end in the file")
        yield kind, at, content, at + size
        at += size


def _metadata_places(data: mmap, at: int, end: int) -> list[tuple[int, int, bytes]]:
    """Where the items of kinds other than the picture's own have their bytes, and what is to stand there."""
    boxes = {kind: (content, stop) for kind, _start, content, stop in _boxes(data, at, end)}
    if b"iinf" not in boxes or b"iloc" not in boxes:
        raise NotWhole("the items of the file are not listed")
    speaking = dict(_speaking_items(data, *boxes[b"iinf"]))
    base = boxes.get(b"idat", (0, 0))[0]
    places = _locations(data, boxes[b"iloc"][0], base)
    return [(start, stop, speaking[item]) for item, start, stop in places if item in speaking]


def _speaking_items(data: mmap, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    at += 6 if data[at] == 0 else 8
    for kind, _start, content, _stop in _boxes(data, at, end):
        if kind == b"infe" and data[content] >= 2:
            wide = data[content] >= 3
            name = content + (10 if wide else 8)
            if data[name : name + 4] in (b"Exif", b"mime", b"uri "):
                item = int.from_bytes(data[content + 4 : content + (8 if wide else 6)])
                yield item, _EMPTY_EXIF if data[name : name + 4] == b"Exif" else b""


def _locations(data: mmap, at: int, in_meta: int) -> Iterator[tuple[int, int, int]]:
    version, sizes = data[at], data[at + 4 : at + 6]
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version else 0
    at += 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(data):
            raise NotWhole("the list of places is cut off")
        return int.from_bytes(data[at - size : at])

    for _item in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        _reference = number(2)
        base = number(base_size) + (in_meta if method == 1 else 0)
        for _extent in range(number(2)):
            number(index_size)
            start = base + number(offset_size)
            length = number(length_size)
            yield item, start, start + (length or len(data) - start)
