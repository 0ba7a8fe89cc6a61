"""Our own files: their addresses change with their content, so that browsers may keep what they have for ever."""

import hashlib
from pathlib import Path

from flask import Flask, Response, request

_FOR_EVER = "public, max-age=31536000, immutable"


def init_static_files(app: Flask) -> None:
    """Templates get `static(name)`, which knows every file; a name that is none is an error when the page is built."""
    folder = Path(str(app.static_folder))
    files = [file for file in folder.rglob("*") if file.is_file()]
    digests = {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files}
    addresses = {name: f"/static/{name}?v={digest}" for name, digest in digests.items()}
    app.jinja_env.globals["static"] = addresses.__getitem__

    @app.after_request
    def let_it_be_kept(response: Response) -> Response:
        name = (request.view_args or {}).get("filename", "")
        # Only what the address promises: while versions change, an older address may get the newer file.
        is_whole = name in digests and response.status_code in (200, 206, 304)
        if request.endpoint == "static" and is_whole and request.args.get("v") == digests[name]:
            response.headers["Cache-Control"] = _FOR_EVER
        return response
