"""The page of `keras_cvae/play/page`: as a server gives it, or as one file that needs no server."""

import base64
import hashlib
import html
import json
import re
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

PAGE = resources.files("keras_cvae.play").joinpath("page")
SERVED_UNDER = "/page/"  # where the server has the files of `PAGE`
_TEMPLATE, _STYLE = "index.html", "style.css"
_MODULES = "play/"  # the names by which modules import each other begin with it
_APP = "play/app"  # the module that starts all others
_LICENCE = "licence_onnxruntime_web.txt"

# What the one file may do: run what is in it, and nothing beyond it. "blob:" is for the runtime,
# which is unpacked first, and for what is recorded.
_POLICY = (
    "default-src 'none'; script-src {importmap} data: blob: 'wasm-unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def served_page(name: str) -> str:
    """The page with links to its scripts and style, for a server.

    Args:
        name: of the model, for the title.

    Returns:
        The HTML text.
    """
    modules = {module: SERVED_UNDER + file.name for module, file in page_modules().items()}
    style = f'<link rel="stylesheet" href="{SERVED_UNDER}{_STYLE}">'
    return _filled(name, style, modules, modules[_APP], {"engine": "remote"})


def whole_page(name: str, setup: dict[str, Any]) -> str:
    """The page with all that it needs inside; a browser opens it from a file.

    Its content security policy keeps the page from requests of any kind.

    Args:
        name: of the model, for the title.
        setup: what the page starts with, see `export_page.page_setup`. Values of JSON.

    Returns:
        The HTML text, with the licence of the runtime in a comment.
    """
    modules = {module: _as_address(file) for module, file in page_modules().items()}
    style = f"<style>\n{_read(_STYLE)}</style>"
    text = _filled(name, style, modules, f"data:text/javascript,import'{_APP}'", setup)
    policy = html.escape(_POLICY.format(importmap=_hash(_json({"imports": modules}))), quote=False)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    comment = f"<!--\nThis page contains:\n\n{_read(_LICENCE)}-->"
    return text.replace("<title>", f"{meta}\n{comment}\n<title>", 1)


def page_modules() -> dict[str, Traversable]:
    """The scripts of the page.

    Returns:
        dict name, by which the others import it -> file.
    """
    files = sorted(PAGE.iterdir(), key=lambda file: file.name)
    return {
        _MODULES + file.name.removesuffix(".js"): file
        for file in files
        if file.name.endswith(".js")
    }


def _filled(name: str, style: str, modules: dict[str, str], app: str, setup: dict[str, Any]) -> str:
    values = {
        "title": html.escape(f"Play with {name}"),
        "style": style,
        "importmap": f'<script type="importmap">{_json({"imports": modules})}</script>',
        "app": html.escape(app),
        "data": f'<script type="application/json" id="setup">{_json(setup)}</script>',
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], _read(_TEMPLATE))


def _as_address(module: Traversable) -> str:
    """A module as an address that holds it. Browsers show its name, not the address, in errors."""
    text = f"{module.read_text('utf-8')}\n//# sourceURL={module.name}\n"
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _json(values: Any) -> str:
    # "</script>" inside a string would end the script.
    return json.dumps(values, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _hash(script: str) -> str:
    """How a policy names a script that is inside the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return PAGE.joinpath(name).read_text("utf-8")
