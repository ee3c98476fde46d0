"""Server of the page: recordings by POST, the microphone by websocket; it keeps nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from emojax.demo.guard import Places, SameOrigin
from emojax.demo.page import LONGEST_S, MOST_BYTES, PAGE, describe
from emojax.demo.recording import answer_recording, window
from emojax.files import size_in_words

if TYPE_CHECKING:
    from emojax.inference.api import Model
    from emojax.inference.stream import Moment

MOST_AT_ONCE = 8
MOST_BLOCK_BYTES = 2**20
_RECEIVE_S = 300  # for a whole file
_SILENCE_S = 30  # without a block, or with a page that reads nothing
_TOO_LARGE = f"larger than {size_in_words(MOST_BYTES)}; cut it, or make it an mp3"


def make_app(model: Model, host: str = "localhost") -> Starlette:
    """Return the application that serves the page and answers it.

    Args:
      model: the trained network.
      host: a name of this machine by which the page may be opened, beside its addresses.
    """
    server = _Server(model)
    few = [Middleware(Places, places=asyncio.Semaphore(MOST_AT_ONCE))]
    return Starlette(
        routes=[
            Route("/page.json", server.page),
            Route("/answers", server.answers, methods=["POST"], middleware=few),
            WebSocketRoute("/stream", server.stream, middleware=few),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[Middleware(SameOrigin, name=host)],
    )


class _Server:
    """Endpoints of one model; a single thread runs the network, for one after the other."""

    def __init__(self, model: Model) -> None:
        model.refuse_numbers("the page")
        self._model, self._thread = model, ThreadPoolExecutor(1)

    async def page(self, request: Request) -> Response:
        """Say what the model knows."""
        return JSONResponse(describe(self._model.labels, self._model.corpus, "server"))

    async def answers(self, request: Request) -> Response:
        """Take a file, and answer with lines of JSON: what is in it, then window after window."""
        with tempfile.NamedTemporaryFile() as file:
            try:
                async with asyncio.timeout(_RECEIVE_S):
                    await _receive(request, file)
                parts = answer_recording(self._model, file.name)
                head = await self._run(next, parts)
            except _TooLarge:
                return JSONResponse({"error": _TOO_LARGE}, 413)
            except TimeoutError:
                return JSONResponse({"error": "the file came too slowly; try again"}, 408)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 422)
        return StreamingResponse(self._lines(head, parts), media_type="application/x-ndjson")

    async def stream(self, websocket: WebSocket) -> None:
        """Take blocks of float32 samples, and send a message for each window of 3 s."""
        await websocket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            try:
                async with asyncio.timeout(LONGEST_S + _SILENCE_S):
                    await self._answer_blocks(websocket)
                await websocket.close()
            except (ValueError, TimeoutError) as error:
                await websocket.send_json({"error": str(error) or "nothing heard for too long"})
                await websocket.close(1008)

    async def _answer_blocks(self, websocket: WebSocket) -> None:
        rate = websocket.query_params.get("rate", "")
        rate_hz = int(rate) if rate.isdecimal() else 0  # which is refused
        stream, heard_s = self._model.stream(rate_hz), 0.0
        while (block := await _block(websocket)) is not None:
            heard_s += len(block) / rate_hz
            if heard_s > LONGEST_S:
                raise ValueError(f"more than {LONGEST_S // 60} minutes; begin anew")
            await _send(websocket, await self._run(stream.feed, block))
        await _send(websocket, await self._run(stream.finish))

    async def _lines(self, head: dict, parts: Iterator[dict]) -> AsyncIterator[str]:
        part: dict | None = head
        while part is not None:
            yield json.dumps(part) + "\n"
            part = await self._run(next, parts, None)

    async def _run(self, function: Callable, *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


class _TooLarge(Exception):  # noqa: N818 - it never leaves this module
    pass


async def _receive(request: Request, file: IO[bytes]) -> None:
    """Write what is sent to a file, block by block."""
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        raise _TooLarge
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > MOST_BYTES:
            raise _TooLarge
        file.write(block)
    file.flush()


async def _block(websocket: WebSocket) -> np.ndarray | None:
    """Return the next samples f32 ``[n]``; None once the page says that it has finished."""
    async with asyncio.timeout(_SILENCE_S):
        message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    block = message.get("bytes")
    if block is None:
        return None
    if len(block) > MOST_BLOCK_BYTES or len(block) % 4:
        raise ValueError(f"{len(block)} bytes; send float32 samples, up to {MOST_BLOCK_BYTES}")
    return np.frombuffer(block, "<f4")


async def _send(websocket: WebSocket, moments: Iterable[Moment]) -> None:
    for moment in moments:
        await websocket.send_json(window(*moment))
