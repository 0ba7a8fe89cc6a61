"""What a file is, is found out by decoding it; what is kept of it is the picture, and nothing that speaks of anybody."""

import io
import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from blog.media import decoding
from blog.media.decoding import Decoded, clean, decoding_turn
from tests.blog.media.pictures import (
    DISGUISES,
    XMP,
    animated,
    chunk,
    corners,
    encode,
    in_gif,
    in_jpeg,
    in_png,
    picture,
    png_bomb,
    with_exif,
)
from tests.support import ROOT
from web.errors import Busy, Invalid

KINDS = ["JPEG", "PNG", "WEBP", "AVIF"]


def cleaned(file: bytes) -> tuple[Decoded, bytes]:
    with tempfile.TemporaryFile() as source:
        source.write(file)
        source.flush()
        kept: list[bytes] = []
        decoded = clean(source, kept.append)
        return decoded, b"".join(kept)


def fault_of(file: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        cleaned(file)
    assert list(refused.value.fields) == ["file"]
    return refused.value.fields["file"]


def look(file: bytes) -> Image.Image:
    """The picture as a browser shows it: of an AVIF, its container says how it is turned."""
    image = Image.open(io.BytesIO(file))
    image.load()
    assert image.format != "AVIF" or image.getexif().get(0x0112, 1) in range(1, 9)
    if image.format == "AVIF" and image.getexif().get(0x0112) == 6:
        return image.transpose(Image.Transpose.ROTATE_270)
    return image


def colours(image: Image.Image) -> list[str]:
    """What the four corners are, from the upper left."""
    image = image.convert("RGB")
    names = []
    for x in (4, image.width - 5):
        for y in (4, image.height - 5):
            red, green, blue = (value > 110 for value in image.getpixel((x, y)))
            names.append(
                {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}[red, green, blue]
            )
    return [names[0], names[2], names[1], names[3]]


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
def test_a_picture_stays_what_it_is(kind: str) -> None:
    decoded, kept = cleaned(picture(kind))
    assert decoded == Decoded(f"image/{kind.lower()}", 60, 40, is_animated=False)
    assert colours(look(kept)) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("kind", KINDS)
def test_where_and_with_what_it_was_taken_is_gone(kind: str) -> None:
    options: dict[str, Any] = {"xmp": XMP} if kind in ("JPEG", "WEBP", "AVIF") else {}
    file = picture(kind, exif=with_exif(), **options)
    assert b"Secretphone" in file
    _decoded, kept = cleaned(file)
    assert b"Secretphone" not in kept
    assert b"Model Nine" not in kept
    image = look(kept)
    assert not image.getexif().get_ifd(0x8825)
    assert image.info.get("xmp", b"").strip(b"\0") == b""


def test_what_was_not_decoded_anew_is_not_worse() -> None:
    file = encode(corners((333, 222)), "JPEG", quality=35, exif=with_exif())
    _decoded, kept = cleaned(file)
    assert look(kept).tobytes() == look(file).tobytes()


def test_comments_thumbnails_and_what_follows_the_end_are_gone() -> None:
    film = random.Random(7).randbytes(300_000)  # what telephones put behind a picture that moves a little
    for file in (
        in_jpeg(b"a private comment"),
        picture("JPEG") + b"a private comment" + film,
        in_png(b"tEXt", b"Author\0a private comment"),
        in_gif(b"!\xfe\x11a private comment\0"),
    ):
        assert b"a private comment" in file
        decoded, kept = cleaned(file)
        assert b"a private comment" not in kept
        assert (decoded.width, decoded.height) == look(kept).size == (60, 40)


def test_a_profile_stays_where_colours_need_it_and_goes_where_they_do_not() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB", 5000)).tobytes()
    for kind in ("JPEG", "PNG", "WEBP"):
        assert "icc_profile" not in look(cleaned(picture(kind, icc_profile=srgb))[1]).info, kind
        assert look(cleaned(picture(kind, icc_profile=lab))[1]).info["icc_profile"] == lab, kind


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_put_upright(kind: str, orientation: int) -> None:
    back = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    upright = corners((300, 200))
    lying = upright if back is None else upright.transpose(back)
    decoded, kept = cleaned(encode(lying, kind, exif=with_exif(orientation)))
    image = look(kept)
    assert (decoded.width, decoded.height) == image.size == (300, 200)
    assert colours(image) == ["red", "green", "blue", "white"]
    assert image.getexif().get(0x0112, 1) == 1


def test_an_avif_keeps_being_turned_by_its_container() -> None:
    lying = corners((300, 200)).transpose(Image.Transpose.ROTATE_90)
    decoded, kept = cleaned(encode(lying, "AVIF", exif=with_exif(6)))
    assert (decoded.width, decoded.height) == (300, 200)
    assert colours(look(kept)) == ["red", "green", "blue", "white"]
    assert b"Secretphone" not in kept


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
@pytest.mark.parametrize("orientation", [1, 8])
def test_every_kind_of_png_is_taken(mode: str, orientation: int) -> None:
    image = Image.new("I;16", (60, 40), 40_000) if mode == "I;16" else corners(mode=mode)
    decoded, kept = cleaned(encode(image, "PNG", exif=with_exif(orientation)))
    assert (decoded.width, decoded.height) == look(kept).size
    assert look(kept).mode == look(encode(image, "PNG")).mode


def test_what_is_seen_through_stays_so_when_it_is_turned() -> None:
    palette = corners(mode="P")
    file = encode(palette, "PNG", transparency=palette.getpixel((0, 0)), exif=with_exif(3))
    assert look(cleaned(file)[1]).convert("RGBA").getpixel((59, 39))[3] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_what_moves_keeps_moving(kind: str) -> None:
    file = animated(kind, frames=5)
    decoded, kept = cleaned(file)
    assert decoded.is_animated
    image, original = Image.open(io.BytesIO(kept)), Image.open(io.BytesIO(file))
    assert getattr(image, "n_frames", 1) == 5
    assert image.info.get("loop") == original.info.get("loop") == 0
    for number in range(5):
        image.seek(number)
        original.seek(number)
        assert image.convert("RGB").tobytes() == original.convert("RGB").tobytes()
        assert image.info.get("duration") == original.info.get("duration")


def test_an_avif_that_moves_is_refused_in_words() -> None:
    assert "Save it as WebP" in fault_of(animated("AVIF"))


def test_cleaning_what_is_clean_changes_nothing() -> None:
    for file in (*(picture(kind, exif=with_exif(6)) for kind in KINDS), picture("GIF"), animated("GIF")):
        _decoded, once = cleaned(file)
        assert cleaned(once)[1] == once


# What is refused


@pytest.mark.parametrize("name", DISGUISES)
def test_what_is_no_picture_or_something_else_as_well_is_refused(name: str) -> None:
    assert fault_of(DISGUISES[name]())


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
def test_what_is_cut_off_is_refused_wherever(kind: str) -> None:
    file = encode(Image.effect_noise((90, 70), 80).convert("RGB"), kind)
    for end in sorted({*range(0, len(file) - 1, max(1, len(file) // 40)), len(file) - 2}):
        assert fault_of(file[:end]), end


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
def test_no_damage_is_an_unforeseen_error(kind: str) -> None:
    file = bytearray(animated("GIF") if kind == "GIF" else picture(kind, exif=with_exif(6)))
    chance = random.Random(kind)
    for _ in range(300):
        damaged = bytearray(file)
        for _each in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            decoded, kept = cleaned(bytes(damaged))
        except Invalid:
            continue
        except UserWarning:  # Pillow's, of EXIF that it cannot read; a line on standard error where it is not an error
            continue
        assert decoded.width > 0
        assert kept


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(lambda: png_bomb(6000, 6000), id="36 million pixels"),
        pytest.param(lambda: png_bomb(60_000, 60_000, colour_type=0, rows_there=1700), id="3,600 million pixels"),
        pytest.param(lambda: png_bomb(20_000, 100), id="too wide"),
        pytest.param(lambda: png_bomb(9000, 5000, colour_type=0), id="45 million grey pixels"),
    ],
)
def test_a_bomb_is_refused_by_its_size(file: object) -> None:
    assert callable(file)
    assert "pixels" in fault_of(file())


def test_texts_and_profiles_that_are_bombs_are_refused_or_dropped() -> None:
    import zlib

    packed = zlib.compress(b"\0" * 200_000_000, 9)
    for kind, head in ((b"zTXt", b"Comment\0\0"), (b"iCCP", b"profile\0\0"), (b"iTXt", b"Comment\0\1\0\0\0")):
        file = picture("PNG")
        file = file[:33] + chunk(kind, head + packed) + file[33:]
        try:
            _decoded, kept = cleaned(file)
        except Invalid:
            continue
        assert len(kept) < len(file) // 2


def test_what_moves_too_long_is_refused() -> None:
    frames = [Image.new("P", (4, 4), number % 2) for number in range(1100)]
    file = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20, optimize=False)
    assert "moves for too long" in fault_of(file)


MEASURE = """
import resource, sys, tempfile
from blog.media import decoding
from web.errors import Invalid
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
# Peaks are of the process: what its beginning takes is measured first, with pictures of every kind.
for path in sys.argv[2:]:
    with open(path, "rb") as source:
        decoding.clean(source, lambda data: None)
before = peak()
with open(sys.argv[1], "rb") as source:
    try:
        print(decoding.clean(source, lambda data: None), end=" ")
    except Invalid as error:
        print("refused", error, end=" ")
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("bomb.png", False),
        ("bomb-of-palette.png", True),
        ("telephone.jpg", True),
        ("large.jpg", True),
        ("progressive.jpg", True),
        ("large.webp", False),
        ("screen.webp", True),
        ("screen.avif", True),
        ("moving.gif", True),
    ],
)
def test_memory_rises_by_less_than_100_megabytes(tmp_path: Path, name: str, is_taken: bool) -> None:
    noise = Image.effect_noise((1000, 1000), 60).convert("RGB")
    made = {
        "bomb.png": lambda: png_bomb(6000, 6000),
        "bomb-of-palette.png": lambda: encode(Image.new("P", (6000, 6000)), "PNG"),
        "telephone.jpg": lambda: encode(noise.resize((4032, 3024)), "JPEG", exif=with_exif(6)),
        "large.jpg": lambda: encode(noise.resize((7000, 5200)), "JPEG", exif=with_exif(8)),
        "progressive.jpg": lambda: encode(noise.resize((4600, 3400)), "JPEG", progressive=True),
        "large.webp": lambda: encode(Image.new("RGB", (5000, 5000)), "WEBP", method=0),
        "screen.webp": lambda: encode(noise.resize((2560, 1440)), "WEBP", method=0, exif=with_exif(6)),
        "screen.avif": lambda: encode(noise.resize((2560, 1440)), "AVIF", speed=10),
        "moving.gif": lambda: animated("GIF", frames=4, size=(1600, 1200)),
    }[name]
    (tmp_path / name).write_bytes(made())
    for kind in [*KINDS, "GIF"]:
        (tmp_path / f"small.{kind}").write_bytes(picture(kind))
    small = [str(tmp_path / f"small.{kind}") for kind in [*KINDS, "GIF"]]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / name), *small],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said, _space, rise = done.stdout.strip().rpartition(" ")
    assert said.startswith("Decoded" if is_taken else "refused"), said
    assert int(rise) * 1024 < 100_000_000, done.stdout


def test_one_picture_is_decoded_at_a_time_and_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_WAIT_SECONDS", 0.05)
    with decoding_turn(), pytest.raises(Busy):
        cleaned(picture())
    monkeypatch.setattr(decoding, "_WAIT_SECONDS", 30.0)
    done = threading.Event()

    def decode() -> None:
        cleaned(picture())
        done.set()

    with decoding_turn():
        thread = threading.Thread(target=decode)
        thread.start()
        assert not done.wait(0.2)
    thread.join(timeout=10)
    assert done.is_set()
