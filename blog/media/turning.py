"""Pictures put upright and made smaller, a strip at a time: never two whole ones in memory."""

import tempfile

from PIL import Image

_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_REVERSED = {3, 4, 7, 8}
_STRIP = 64
# What a resampling filter looks at beyond the edge of a strip, in rows of the result.
_MARGIN = 4


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as EXIF's orientation (2 to 8) means it. The one given is used up."""
    if image.mode == "P":
        return image.transpose(_METHODS[orientation])
    lies = orientation >= 5
    size = (image.height, image.width) if lies else image.size
    length = image.width if lies else image.height
    with tempfile.TemporaryFile() as spool:
        for top in range(0, length, _STRIP):
            start, end = top, min(top + _STRIP, length)
            if orientation in _REVERSED:
                start, end = length - end, length - start
            box = (start, 0, end, image.height) if lies else (0, start, image.width, end)
            spool.write(image.crop(box).transpose(_METHODS[orientation]).tobytes())
        mode = image.mode
        image.close()
        spool.seek(0)
        upright = Image.new(mode, size)
        for top in range(0, length, _STRIP):
            rows = min(_STRIP, length - top)
            row_bytes = len(Image.new(mode, (size[0], 1)).tobytes())
            upright.paste(Image.frombytes(mode, (size[0], rows), spool.read(rows * row_bytes)), (0, top))
    return upright


def shrunk(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture in that size, in colours that WebP has."""
    mode = "RGBA" if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info else "RGB"
    small = Image.new(mode, (width, height))
    scale = image.height / height
    for top in range(0, height, _STRIP):
        end = min(top + _STRIP, height)
        above, below = max(0, int((top - _MARGIN) * scale)), min(image.height, int((end + _MARGIN) * scale) + 1)
        strip = image.crop((0, above, image.width, below))
        if strip.mode == "I;16":
            strip = strip.convert("I").point(lambda value: value / 256).convert("L")
        box = (0, top * scale - above, image.width, min(end * scale, image.height) - above)
        small.paste(strip.convert(mode).resize((width, end - top), Image.Resampling.LANCZOS, box=box), (0, top))
    return small
