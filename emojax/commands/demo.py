"""A page to speak to: record, or drop a file, and see the emotions over time.

It answers on this machine only, and keeps nothing. --static=DIR writes the page as a folder for any
web server instead: the network then runs in the visitor's browser, and no sound leaves it.
"""

from __future__ import annotations

import argparse
import ipaddress
import shlex
import socket
import sys

from emojax.commands.model_arguments import add_model_arguments, load_model

AGAIN = "stopped"
_MOST_CONNECTIONS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_model_arguments(parser)
    parser.add_argument("--port", type=int, default=8000, help="0 for any free one")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="an address or name of this machine; any but the default lets others in the network "
        "use the page (browsers then give it no microphone, unless https is put in front)",
    )
    parser.add_argument("--static", metavar="DIR", help="a new folder to write the page to")
    parser.add_argument(
        "--onnxruntime_web",
        metavar="DIR",
        default="node_modules/onnxruntime-web/dist",
        help="the folder of the network's runtime for --static; npm install onnxruntime-web "
        "makes the default",
    )


def run(arguments: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C, or write it."""
    if arguments.static is None:
        _serve(arguments)
        return
    from emojax.demo.folder import write_folder

    folder = write_folder(
        arguments.static, arguments.model, arguments.corpus, arguments.onnxruntime_web
    )
    print(
        f"{folder}: put it on any web server; to look at it here:\n"
        f"python -m http.server --bind=127.0.0.1 --directory={shlex.quote(str(folder))}"
    )


def _serve(arguments: argparse.Namespace) -> None:
    import numpy as np
    import uvicorn

    from emojax.audio.reading import SAMPLE_RATE_HZ
    from emojax.demo.server import MOST_BLOCK_BYTES, make_app

    with _listening(arguments.host, arguments.port) as listening:
        model = load_model(arguments)
        model.predict_windows([np.zeros(3 * SAMPLE_RATE_HZ, np.float32)])  # compiles
        settings = uvicorn.Config(
            make_app(model, arguments.host),
            log_config=None,  # the default closes the handlers of other libraries
            log_level="warning",
            access_log=False,
            limit_concurrency=_MOST_CONNECTIONS,
            ws_max_size=MOST_BLOCK_BYTES,
            timeout_graceful_shutdown=1,
        )
        print(f"http://{_address(listening)}/  (Ctrl-C ends it)", flush=True)
        try:
            uvicorn.Server(settings).run(sockets=[listening])
        except KeyboardInterrupt:
            raise SystemExit(0) from None


def _listening(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise a ValueError with the reason."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        raise ValueError(
            f"cannot listen at --host={host} --port={port}: {error}; give another --port, or a "
            "--host of this machine"
        ) from None
    if not ipaddress.ip_address(listening.getsockname()[0]).is_loopback:
        print(
            f"--host={host}: whoever reaches this machine can use the page and its processor, and "
            "what they say travels unencrypted",
            file=sys.stderr,
        )
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
