"""Whether the page is used from this machine alone: only then may it start processes, for it knows no accounts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

#: What a browser, or a server in between, says of where the page was opened.
ADDRESSED = ("host", "origin", "x-forwarded-host", "x-forwarded-for", "x-real-ip")
SENT_FROM = ("x-forwarded-for", "x-real-ip")  # of these, where the request came from
FORWARDED = "forwarded"


def headers() -> Mapping[str, str]:
    """What came with the session's first request, by names in lower case."""
    return {name.lower(): value for name, value in st.context.headers.items()}


def listens_at() -> str:
    """The address that the server listens at; '' for every address of the machine."""
    return str(st.get_option("server.address") or "")


def why_not_local() -> str:
    """Why this session may be somebody else's, as a sentence; '' where server and browser are both on this machine."""
    return why(listens_at(), headers())


def why(address: str, said: Mapping[str, str]) -> str:
    """The same of a server's address and a request's headers, by names in lower case."""
    if not is_loopback(address):
        place = f"at {address}" if address else "at every address of this machine"
        return f"The server listens {place}, where others can reach it."
    if "host" not in said:
        return "The request does not say at which address the page was opened."
    if FORWARDED in said:
        return "The page was forwarded by another server."
    for name in ADDRESSED:
        for part in said.get(name, "").split(","):
            if part.strip() and not is_loopback(_host(part.strip())):
                how = "from" if name in SENT_FROM else "at"
                return (
                    f"The page was opened {how} {_host(part.strip()) or 'an address'}, which is not this machine's own."
                )
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address leads back to the machine that asks."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host(said: str) -> str:
    """The host of an origin, of a host with its port, or of an address."""
    try:
        ipaddress.ip_address(said)
    except ValueError:
        try:
            return urlsplit(said if "//" in said else f"//{said}").hostname or ""
        except ValueError:
            return ""
    return said
