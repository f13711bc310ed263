"""The report as one self-contained HTML page, and as Markdown for repositories."""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from keras_cvae.report.player import data_uri

Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]  # header, rows

_KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


def html_page(
    title: str,
    summary: str,
    table: Table,
    notes: Sequence[str],
    player: dict[str, Any],
    figures: Mapping[str, Path],
    gifs: Mapping[str, Path],
    settings: Mapping[str, str],
) -> str:
    """The report as a page that contains all its pictures.

    Args:
        title: of the page.
        summary: a paragraph at the top.
        table: `(header, rows)`, texts of the table of results.
        notes: sentences below the table.
        player: as `player.player_data` returns it, with a `colour` for each prediction.
        figures, gifs: caption -> picture.
        settings: name -> value of each setting.

    Returns:
        The HTML text.
    """
    template = resources.files("keras_cvae.report").joinpath("template.html").read_text("utf-8")
    values = {
        "title": html.escape(title),
        "summary": html.escape(summary),
        "table": _html_table(*table),
        "notes": "<br>".join(map(html.escape, notes)),
        "figures": "".join(_picture(caption, path) for caption, path in figures.items()),
        "gifs": "".join(_picture(caption, path) for caption, path in gifs.items()),
        "settings": _definitions(settings),
        # "</script>" inside a string would end the script.
        "data": json.dumps(player).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def markdown_page(
    title: str,
    summary: str,
    table: Table,
    notes: Sequence[str],
    figures: Mapping[str, str],
    settings: Mapping[str, str],
) -> str:
    """The report for a repository, with links to its pictures.

    Args:
        title, summary, table, notes, settings: as for `html_page`.
        figures: caption -> path of the picture, relative to the text.

    Returns:
        The Markdown text.
    """
    header, rows = table
    lines = [f"# {title}", "", summary, "", _row(header), _row(["---"] * len(header))]
    lines += [_row(row) for row in rows]
    lines += ["", *(f"- {note}" for note in notes)]
    for caption, path in figures.items():
        lines += ["", f"![{caption}]({path})"]
    lines += ["", "## Settings", "", *(f"- {name}: {value}" for name, value in settings.items())]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    return f"<table>{line(header, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _picture(caption: str, path: Path) -> str:
    source = data_uri(_KINDS[path.suffix], path.read_bytes())
    text = html.escape(caption)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def _definitions(values: Mapping[str, str]) -> str:
    pairs = (
        f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>"
        for name, value in values.items()
    )
    return f"<dl>{''.join(pairs)}</dl>"
