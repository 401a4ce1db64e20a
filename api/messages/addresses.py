"""Where webhooks may go: to hosts that the site has named, so that nobody points the service at what it should not
reach."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from api.errors import Problem

LONGEST = 2000


def check_address(url: str, hosts: Collection[str]) -> None:
    """Raise the problem ``webhook-address`` unless the address is of a host among ``hosts``: a name, or name and port.

    >>> check_address("https://ehr.hospital.example/codes", {"ehr.hospital.example"})
    """
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        name, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not name or len(url) > LONGEST or not url.isascii():
        raise Problem("webhook-address", "Give an address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None or any(c.isspace() for c in url):
        raise Problem("webhook-address", "Give the address without user and password.")
    allowed = {host.lower() for host in hosts}
    if name not in allowed and f"{name}:{port}" not in allowed:
        raise Problem("webhook-address", f"CODEASSIST_WEBHOOK_HOSTS does not name the host {name[:200]}.")
