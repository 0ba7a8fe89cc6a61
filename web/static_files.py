"""Our own files: their addresses change with their content, so that browsers may keep what they have for ever."""

import hashlib
import mimetypes
from pathlib import Path

from flask import Flask, Response, request

from web.caching import shared
from web.errors import NotFound

# Whatever the machine's own list of types says of them.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ico": "image/x-icon"}
_FOR_EVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"


def init_static_files(app: Flask, folder: Path) -> None:
    """Serve the files of a folder, read once, when the process starts.

    Templates write `'name'|static`, which is an address by the time they are loaded; a name that is no file's is an
    error when the page is built.
    """
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    digests = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in files.items()}
    addresses = {name: f"/static/{name}?v={digest}" for name, digest in digests.items()}
    app.add_template_filter(addresses.__getitem__, "static")

    def answer(name: str, cache_control: str | None) -> Response:
        kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        response = Response(files[name], mimetype=kind)
        if cache_control is not None:
            response.headers["Cache-Control"] = cache_control
            response.vary.add("Accept-Encoding")
        return response

    @app.get("/static/<path:filename>", endpoint="static")
    @shared("v")
    def serve_file(filename: str) -> Response:
        if filename not in files:
            raise NotFound
        # Only what the address promises: while versions change, an older address may get the newer file.
        return answer(filename, _FOR_EVER if request.args.get("v") == digests[filename] else None)

    @app.get("/favicon.ico", endpoint="favicon")
    @shared()
    def serve_favicon() -> Response:
        return answer("favicon.ico", _A_DAY)
