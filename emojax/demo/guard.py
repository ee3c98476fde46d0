"""Protection of the server: who may ask, how many at once, and what the page may do.

A page of a stranger that is open in the same browser can reach a server on this machine, by a form,
a websocket or a name that it lets point here. Browsers say from where a request comes (``Origin``)
and whom it asks for (``Host``); no name of a stranger is answered.
"""

from __future__ import annotations

import asyncio
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class SameOrigin:
    """Middleware that answers only requests of the page itself, and adds headers that confine it.

    Args:
      app: the application.
      name: a name of this machine that may be asked for, beside ``localhost`` and addresses.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app, self._name = app, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not is_own_host(host, self._name):
            return await _refuse(403, "asked for another host")(scope, receive, send)
        if origin is not None and urlsplit(origin).netloc != host:
            return await _refuse(403, "asked from another page")(scope, receive, send)

        async def confined(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, confined)


class Places:
    """Middleware that answers a limited number of requests at once, and refuses the others."""

    def __init__(self, app: ASGIApp, places: asyncio.Semaphore) -> None:
        self._app, self._places = app, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if self._places.locked():
            return await _refuse(503, "busy with others; try again in a while")(
                scope, receive, send
            )
        async with self._places:
            await self._app(scope, receive, send)


def is_own_host(host: str, name: str) -> bool:
    """Return whether a ``Host`` can be no name that a stranger lets point to this machine.

    >>> [is_own_host(host, "lab-7") for host in ("[::1]:8000", "lab-7:80", "stranger.example")]
    [True, True, False]
    """
    try:
        known = urlsplit(f"//{host}").hostname or ""
        if known in ("localhost", name.lower()):
            return True
        return bool(ipaddress.ip_address(known))
    except ValueError:
        return False


def _refuse(status: int, reason: str) -> ASGIApp:
    async def refusal(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await WebSocketClose(1013 if status == 503 else 1008, reason)(
                scope, receive, send
            )
        await JSONResponse({"error": reason}, status)(scope, receive, send)

    return refusal
