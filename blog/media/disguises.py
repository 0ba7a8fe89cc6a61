"""Pictures that are something else as well: what stands beside the picture itself is looked at for it."""

import re
from collections.abc import Iterable
from mmap import mmap

# Pages, scripts, documents and programs. Not what cameras write: EXIF, XMP, a second picture, a film.
# None is shorter than five bytes or so: a film of some megabytes holds every shorter one by chance.
_SIGNS = re.compile(
    rb"<(?:!doctype|html|head|body|script|svg|iframe|object|embed|\?php)[\s>]|javascript:|%pdf-|"
    rb"pk\x03\x04[\x0a\x14\x2d]\x00|pk\x05\x06\x00{4}|rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x7felf[\x01\x02]{2}|"
    rb"this program cannot be run|#!\s*/(?:usr/)?bin/|\xca\xfe\xba\xbe\x00\x00|=\s*1\s*;\s*/\*|\b(?:alert|eval)\s*\(",
    re.IGNORECASE,
)
_AT_ONCE, _LONGEST_SIGN = 1 << 20, 64


def is_disguised(data: mmap, places: Iterable[tuple[int, int]], *more: bytes) -> bool:
    """Whether one of these places of the file, or of these bytes, holds the sign of another kind of file."""
    for start, end in places:
        for at in range(start, end, _AT_ONCE):
            if _SIGNS.search(data[at : min(at + _AT_ONCE + _LONGEST_SIGN, end)]):
                return True
    return any(_SIGNS.search(each) for each in more)
