"""The report as one self-contained HTML page, and as Markdown for repositories."""

import html
import json
import re
from importlib import resources

from keras_cvae.report.films import data_uri

_KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


def html_page(title, summary, table, notes, player, figures, gifs, settings):
    """The page, everything inside it.

    Args:
        title, summary: str.
        table: `(header, rows)` of texts.
        notes: list of str.
        player: dict as of `films.player_data`, each prediction with a `colour`.
        figures, gifs: dict caption -> `Path` of a picture.
        settings: dict name -> text.

    Returns:
        str.
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


def markdown_page(title, summary, table, notes, figures, settings):
    """The report for a repository; pictures by their path.

    Args:
        title, summary, table, notes, settings: as in `html_page`.
        figures: dict caption -> relative path, as str.

    Returns:
        str.
    """
    header, rows = table
    lines = [f"# {title}", "", summary, "", _row(header), _row(["---"] * len(header))]
    lines += [_row(row) for row in rows]
    lines += ["", *(f"- {note}" for note in notes)]
    for caption, path in figures.items():
        lines += ["", f"![{caption}]({path})"]
    lines += ["", "## Settings", "", *(f"- {name}: {value}" for name, value in settings.items())]
    return "\n".join(lines) + "\n"


def _row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _html_table(header, rows):
    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    return f"<table>{line(header, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _picture(caption, path):
    source = data_uri(_KINDS[path.suffix], path.read_bytes())
    text = html.escape(caption)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def _definitions(values):
    pairs = (
        f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>"
        for name, value in values.items()
    )
    return f"<dl>{''.join(pairs)}</dl>"
