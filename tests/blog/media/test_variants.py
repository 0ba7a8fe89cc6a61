"""The smaller pictures: looked like the large one, and made in as little memory."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from blog.media.decoding import opened
from blog.media.turning import shrunk
from tests.blog.media.pictures import corners, encode
from tests.support import ROOT

MEASURE = """
import io, resource, sys
from pathlib import Path
from blog.media.model import Media, Variant
from blog.media.variants import _encode
from storage.files import Files
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
class OneFile(Files):
    def path_of(self, digest):
        return Path(digest)
def make(path, width, height, kind):
    media = Media("", 1, path, kind, width, height, 0, False, "", "", False, 0)
    wide = min(1280, width - 1)
    return _encode(OneFile(Path()), media, Variant(path, wide, round(height * wide / width)))
make(sys.argv[1], 60, 40, "image/png")
before = peak()
made = make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), "image/jpeg")
print(len(made), peak() - before)
"""


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: encode(Image.new("RGB", (5200, 3900), "#806040"), "PNG", compress_level=1), id="PNG"),
        pytest.param(lambda: encode(Image.new("RGBA", (3000, 5000), "#80604080"), "PNG", compress_level=1), id="clear"),
        pytest.param(lambda: encode(Image.new("P", (6000, 6000), 3), "PNG", compress_level=1), id="palette"),
        pytest.param(lambda: encode(Image.new("RGB", (7000, 5200), "#806040"), "JPEG"), id="JPEG"),
    ],
)
def test_memory_rises_by_less_than_100_megabytes(tmp_path: Path, make: Callable[[], bytes]) -> None:
    (tmp_path / "small").write_bytes(encode(corners(), "PNG"))
    (tmp_path / "large").write_bytes(make())
    with Image.open(tmp_path / "large") as image:
        size = [str(side) for side in image.size]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "small"), str(tmp_path / "large"), *size],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    made, rise = map(int, done.stdout.split())
    assert made > 100
    assert rise * 1024 < 100_000_000, done.stdout


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "CMYK"])
def test_strips_leave_no_seams(mode: str) -> None:
    noise = Image.effect_noise((900, 1100), 70).convert("RGB")
    large = noise.convert(mode)
    small = shrunk(large, 400, round(1100 * 400 / 900))
    whole = large.convert(small.mode).resize(small.size, Image.Resampling.LANCZOS)
    extrema: Any = ImageChops.difference(small.convert("RGB"), whole.convert("RGB")).getextrema()
    assert max(high for _low, high in extrema) <= 2


def test_a_large_jpeg_is_read_reduced_and_never_below_what_is_needed() -> None:
    with tempfile.TemporaryFile() as source:
        source.write(encode(Image.new("RGB", (4000, 3000)), "JPEG"))
        for least, width in ((None, 4000), (3000, 4000), (1280, 2000), (640, 1000), (100, 500)):
            with opened(source, least_width=least) as image:
                image.load()
                assert image.width == width
        with opened(source, held_bytes=80_000_000) as image:
            assert image.width == 1000
