"""Names and addresses that mean this machine itself."""

from __future__ import annotations

import ipaddress


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine itself.

    >>> [is_loopback(n) for n in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "codes.example")]
    [True, True, True, False, False]
    """
    if name.lower() in ("localhost", "localhost."):
        return True
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def host_of(header: str) -> str:
    """The name in a Host header, in lower case and without its port.

    >>> host_of("LOCALHOST:8000"), host_of("[::1]:8000")
    ('localhost', '[::1]')
    """
    end = header.rfind("]") + 1
    return (header[:end] if end else header.partition(":")[0]).lower()
