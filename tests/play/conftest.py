"""The page in Chromium, before a model that takes no time."""

import pytest
from browser import Browser
from page_server import page_server, ready, small_content


@pytest.fixture(scope="session")
def browser():
    with Browser() as running:
        yield running


@pytest.fixture(scope="session")
def content():
    return small_content()


@pytest.fixture(scope="session")
def address(content):
    with page_server(content, dance=lambda seed: content["choreography"]) as url:
        yield url


@pytest.fixture(scope="module")
def page(browser, address):
    """A page that is ready, for all tests of a file; it must not have complained at the end."""
    page = ready(browser.open(address))
    yield page
    assert page.errors == []
    page.close()
