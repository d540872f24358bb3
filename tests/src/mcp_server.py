"""An MCP server with tools of every kind, made with the official SDK for servers.

Arguments: its port, 0 for any; a folder for what changes it later; the bearer token that it wants, if any; `sse` for the
transport of 2024-11-05. It says where it listens on its first line, and on each further one what a tool notes.
"""

import asyncio
import pathlib
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from starlette.responses import PlainTextResponse

PORT, FOLDER = int(sys.argv[1]), pathlib.Path(sys.argv[2])
TOKEN = sys.argv[3] if len(sys.argv) > 3 else ""
IS_SSE = "sse" in sys.argv[4:]
READ_ONLY = ToolAnnotations(read_only_hint=True)
# A red square of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)

server = MCPServer("things", log_level="ERROR")


def note(line: str) -> None:
    print(line, flush=True)


def key_of(context: Context) -> str:
    meta = context.request_context.meta
    fields = meta if isinstance(meta, dict) else getattr(meta, "model_extra", None) or {}
    return str(fields.get("io.sinew/idempotency-key"))


async def held() -> None:
    """Waits as long as there is a file of this name."""
    while (FOLDER / "hold").exists():
        await asyncio.sleep(0.01)


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
async def charge(amount: int, context: Context) -> str:
    """Takes money, each time anew."""
    note(f"charge {amount} {key_of(context)}")
    await held()
    return f"took {amount}"


@server.tool(annotations=READ_ONLY)
async def look(context: Context) -> str:
    """Looks at something and changes nothing."""
    note(f"look {key_of(context)}")
    await held()
    return "seen"


@server.tool(annotations=READ_ONLY)
def picture() -> Image:
    """Shows a picture."""
    return Image(data=PNG, format="png")


@server.tool()
def broken() -> str:
    """Always fails."""
    raise ToolError("it is broken")


@server.tool()
def long() -> str:
    """Says very much."""
    return "begin " + "0123456789" * 15_000 + " end"


@server.tool()
def echo_token(context: Context) -> str:
    """Says again what it was sent."""
    return f"you sent {context.headers['authorization']}"


@server.tool()
async def slow(context: Context) -> str:
    """Works until it is cancelled, and says so."""
    try:
        await context.report_progress(1, 2, "half of it")
        note("slow began")
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        note("slow was cancelled")
        raise
    return "done"


def later() -> str:
    """Was not there at first."""
    return "here now"


@server.tool()
async def grow(context: Context) -> str:
    """Brings another tool."""
    server.add_tool(later)
    await context.session.send_tool_list_changed()
    return "grown"


class Guard:
    """Lets in whoever has the token."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and TOKEN:
            token = FOLDER / "token"
            wanted = token.read_text() if token.exists() else TOKEN
            given = dict(scope["headers"]).get(b"authorization", b"").decode()
            if given != f"Bearer {wanted}":
                refusal = PlainTextResponse(f"{given!r} is not it", 401, {"www-authenticate": "Bearer"})
                return await refusal(scope, receive, send)
        await self.app(scope, receive, send)


async def main() -> None:
    app = server.sse_app() if IS_SSE else server.streamable_http_app()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    # Before anybody is told: who comes early waits instead of being refused.
    listener.listen(128)
    port = listener.getsockname()[1]
    config = uvicorn.Config(Guard(app), log_level="error")
    print(f"http://127.0.0.1:{port}/{'sse' if IS_SSE else 'mcp'}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


asyncio.run(main())
