"""Who may ask the server: pages that it served itself, under a name of this machine."""

import ipaddress
import re
from collections.abc import Mapping

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_HTTP = 80  # the port that a browser leaves out


def is_loopback(address: str) -> bool:
    """Whether an address reaches this machine alone.

    Args:
        address: of IPv4 or IPv6, in digits.
    """
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def address_of_page(address: str, port: int) -> str:
    """What a browser on this machine opens.

    Args:
        address: that the server listens at, in digits; that of all networks is 0.0.0.0 or ::.
        port: that the server listens at.
    """
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    return f"http://{_bracketed(name)}:{port}/"


def host_fits(host: str | None, address: str, port: int) -> bool:
    """Whether a request was made under a name that is this server's.

    A page of another site can let its own name stand for 127.0.0.1, and would then be of the same
    origin as the server (DNS rebinding). The browser still sends that name.

    Args:
        host: the header `Host`.
        address: that the server listens at, in digits. If others than this machine reach it, its
            names are not known, and any will do.
        port: that the server listens at.
    """
    found = _HOST.fullmatch(host or "")
    if found is None:
        return False
    if not is_loopback(address):
        return True
    known = found[1].lower() in (*_LOCAL, _bracketed(address))
    return known and int(found[2] or _HTTP) == port


def origin_fits(origin: str | None, host: str) -> bool:
    """Whether a request comes from a page of this server.

    Args:
        origin: the header `Origin`. Without one it comes from no page of another site: browsers
            always send it with a WebSocket and with what another site may read.
        host: the header `Host`, which `host_fits`.
    """
    return origin is None or origin.lower() == f"http://{host.lower()}"


def site_fits(headers: Mapping[str, str], path: str) -> bool:
    """Whether a request may come from where it comes from, as the browser says.

    Another site can make a browser ask without `Origin`, as for an image. It cannot read the
    answer, but the server would have to make one.

    Args:
        headers: of the request. Programs and older browsers do not say it.
        path: of what is asked for. Others may link to the page, "/".
    """
    if headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return True
    follows = headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")
    return path == "/" and follows == ("navigate", "document")


def _bracketed(address: str) -> str:
    """An address as it is written before a port."""
    return f"[{address}]" if ":" in address else address
