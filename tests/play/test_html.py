"""The text of the page. Browsers read it in test_export_page.py and the tests of the server."""

import base64
import hashlib
import html
import json
import re

from keras_cvae.play.html import PAGE, SERVED_UNDER, page_modules, served_page, whole_page

SETUP = {"engine": "local", "text": "</script><script>alert(1)</script>"}


def script(page, attributes):
    return re.search(rf"<script {attributes}>(.*?)</script>", page, re.S)[1]


def importmap(page):
    return json.loads(script(page, 'type="importmap"'))["imports"]


def decoded(address):
    return base64.b64decode(address.removeprefix("data:text/javascript;base64,")).decode()


def test_the_served_page_links_to_files_of_the_page():
    page = served_page("a <model>")
    assert "<title>Play with a &lt;model&gt;</title>" in page and "{{" not in page
    assert json.loads(script(page, 'type="application/json" id="setup"')) == {"engine": "remote"}
    links = [*importmap(page).values(), *re.findall(r'(?:src|href)="(/[^"]+)"', page)]
    assert len(links) > 3
    for link in links:
        assert PAGE.joinpath(link.removeprefix(SERVED_UNDER)).is_file(), link


def test_the_whole_page_has_all_of_it_inside():
    page = whole_page("a <model>", SETUP)
    assert "<title>Play with a &lt;model&gt;</title>" in page and "{{" not in page
    assert json.loads(script(page, 'type="application/json" id="setup"')) == SETUP
    assert set(re.findall(r'(?:src|href)="([^":]*:?)', page)) <= {"data:"}
    for name, address in importmap(page).items():
        file = page_modules()[name]
        expected = f"{file.read_text('utf-8')}\n//# sourceURL={file.name}\n"
        assert decoded(address) == expected
    assert PAGE.joinpath("style.css").read_text("utf-8") in page
    assert b'<meta charset="utf-8">' in page.encode()[:1024]  # browsers look no further


def test_modules_import_only_each_other():
    modules = page_modules()
    assert {"play/app", "play/local", "play/remote"} <= set(modules)
    for name, file in modules.items():
        text = file.read_text("utf-8")
        imported = re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", text)
        assert set(imported) <= set(modules), name


def test_the_policy_of_the_whole_page_names_its_import_map_and_no_place_outside():
    page = whole_page("model", SETUP)
    head = page[: page.index("<title>")]
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', head)[1])
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] == "'none'" and "connect-src" not in directives
    digest = hashlib.sha256(script(page, 'type="importmap"').encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in directives["script-src"].split()
    sources = {source for each in directives.values() for source in each.split()}
    assert {source for source in sources if not source.startswith("'")} == {"data:", "blob:"}
    # The import map is the one script in it that runs; all others have an address.
    assert re.findall(r"<script(?![^>]*(?:src=|application/json|importmap))", page) == []


def test_the_whole_page_holds_the_licence_of_the_runtime():
    page = whole_page("model", SETUP)
    comment = re.search(r"<!--(.*?)-->", page, re.S)[1]
    assert "Copyright (c) Microsoft Corporation" in comment and "--" not in comment
    assert "Permission is hereby granted" in comment and "WITHOUT WARRANTY" in comment
