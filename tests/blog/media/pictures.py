"""Pictures of all kinds, made where they are needed, and files that only look like some."""

import io
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

GPS = 0x8825


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """A picture whose four corners have colours of their own: red, green, blue, white from the upper left."""
    return encode(corners(size), kind, **options)


def corners(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    """The same, not encoded."""
    image = Image.new("RGB", size)
    width, height = (size[0] + 1) // 2, (size[1] + 1) // 2
    for colour, place in (
        ("#e00000", (0, 0)), ("#00c000", (width, 0)), ("#0000e0", (0, height)), ("#ffffff", (width, height)),
    ):  # fmt: skip
        image.paste(colour, (*place, place[0] + width, place[1] + height))
    return image.convert(mode)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file of that kind."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_exif(orientation: int = 1) -> bytes:
    """EXIF as a telephone writes it: where, with what, and how it was held."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Secretphone", "Model Nine", orientation
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return exif.tobytes()


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>Secretphone</rdf:RDF></x:xmpmeta>'


def animated(kind: str, frames: int = 3, size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture that moves."""
    each = [Image.new("RGB", size, (20 + 60 * n, 10, 200 - 50 * n)) for n in range(frames)]
    return encode(each[0], kind, save_all=True, append_images=each[1:], duration=80, loop=0)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def png_bomb(width: int, height: int, *, colour_type: int = 2, rows_there: int | None = None) -> bytes:
    """A small file of that many pixels; with `rows_there`, only so many rows of them stand in it."""
    row = 1 + width * {0: 1, 2: 3, 6: 4}[colour_type]
    packer, rows = zlib.compressobj(9), b"\0" * row
    count = height if rows_there is None else rows_there
    packed = b"".join(packer.compress(rows) for _ in range(count)) + packer.flush()
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, colour_type, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


HTML = b"<!doctype html><script>alert(document.cookie)</script>"
ZIP = b"PK\x03\x04\x14\0\0\0\0\0" + b"\0" * 40 + b"PK\x05\x06" + b"\0" * 18


def in_jpeg(segment: bytes, marker: int = 0xFE) -> bytes:
    """A JPEG with a segment of its own, right after its beginning."""
    file = picture("JPEG")
    return file[:2] + bytes([0xFF, marker]) + (len(segment) + 2).to_bytes(2) + segment + file[2:]


def in_png(kind: bytes, content: bytes) -> bytes:
    """A PNG with a chunk of its own, before its end."""
    return picture("PNG")[:-12] + chunk(kind, content) + picture("PNG")[-12:]


def in_gif(extension: bytes) -> bytes:
    """A GIF with an extension of its own, before its end."""
    return picture("GIF")[:-1] + extension + b";"


def in_webp(kind: bytes, content: bytes) -> bytes:
    """A WebP with a chunk of its own."""
    file = picture("WEBP") + kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
    return file[:4] + (len(file) - 8).to_bytes(4, "little") + file[8:]


DISGUISES: dict[str, Callable[[], bytes]] = {
    "HTML": lambda: HTML,
    "HTML behind the first bytes of a GIF": lambda: b"GIF89a/*" + HTML,
    "HTML behind the first bytes of a PNG": lambda: b"\x89PNG\r\n\x1a\n" + HTML,
    "HTML behind the first bytes of a JPEG": lambda: b"\xff\xd8\xff\xe0" + HTML,
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "SVG with a declaration": lambda: b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a script that begins as a GIF": lambda: b"GIF89a=1;/*" + picture("GIF")[11:] + b"*/=1;alert(1)",
    "PDF": lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF",
    "a program": lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 60,
    "a JPEG that ends as a page": lambda: picture("JPEG") + HTML,
    "a JPEG that ends as an archive": lambda: picture("JPEG") + ZIP,
    "a JPEG with a page for a comment": lambda: in_jpeg(HTML),
    "a JPEG with a script in its EXIF": lambda: in_jpeg(b"Exif\0\0<?php system($_GET[0]); ?>", 0xE1),
    "a PNG that ends as a document": lambda: picture("PNG") + b"%PDF-1.7\n%%EOF",
    "a PNG that ends as an archive": lambda: picture("PNG") + ZIP,
    "a PNG with a page for a text": lambda: in_png(b"tEXt", b"Comment\0" + HTML),
    "a GIF that ends as a script": lambda: picture("GIF") + b"*/=1;alert(1);/*",
    "a GIF with a page for a comment": lambda: in_gif(b"!\xfe" + bytes([len(HTML)]) + HTML + b"\0"),
    "a GIF that ends as a Java archive": lambda: picture("GIF") + ZIP,
    "a WebP that ends as a page": lambda: picture("WEBP") + HTML,
    "a WebP with a page in a chunk": lambda: in_webp(b"JUNK", HTML),
    "an AVIF that ends as a page": lambda: picture("AVIF") + HTML,
    "an AVIF with a page in a free box": lambda: picture("AVIF") + (len(HTML) + 8).to_bytes(4) + b"free" + HTML,
    "a BMP": lambda: picture("BMP"),
    "a TIFF": lambda: picture("TIFF"),
    "an icon": lambda: picture("ICO", (32, 32)),
    "a PPM": lambda: picture("PPM"),
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n",
    "an XBM": lambda: b"#define x_width 8\n#define x_height 8\nstatic char x_bits[] = {0,0,0,0,0,0,0,0};",
    "one byte": lambda: b"\xff",
}
