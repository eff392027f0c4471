"""Where a request comes from. Sign-in, throttles and the list of those who may read the figures all ask here."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's address. Of `X-Forwarded-For` only what our own proxies have added counts (PROXIES says how many there are);
    what stands before it is the caller's own word."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if not settings.PROXIES or not told:
        return direct
    return plain_address(told[-min(settings.PROXIES, len(told))]) or direct


def plain_address(text: str) -> str:
    """Without port and brackets; empty for what is no address."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        return str(ip_address(bare))
    except ValueError:
        return ""


def address_group(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the network of IPv6 addresses that one line is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{found}/64", strict=False)) if isinstance(found, IPv6Address) else address


def stands_before_us(request: HttpRequest) -> bool:
    """Whether something in between has passed the request on, although we were told of no proxy: `REMOTE_ADDR` is not the caller
    then."""
    return not settings.PROXIES and bool({"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"} & request.META.keys())
