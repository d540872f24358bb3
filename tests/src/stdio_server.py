"""An MCP server on standard input and output, made with the official SDK, whose tools try what a sandbox keeps from it."""

import os
import socket

from mcp.server.mcpserver import MCPServer

server = MCPServer("walls", log_level="ERROR")


@server.tool()
def read(path: str) -> str:
    """Reads a file, or lists a folder."""
    try:
        if os.path.isdir(path):
            return " ".join(sorted(os.listdir(path)))
        with open(path) as file:
            return file.read()
    except OSError as error:
        return f"refused: {error.strerror}"


@server.tool()
def write(path: str, text: str) -> str:
    """Writes a file."""
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError as error:
        return f"refused: {error.strerror}"
    return "written"


@server.tool()
def connect(port: int) -> str:
    """Connects to a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        return f"refused: {error.strerror or error}"
    return "connected"


@server.tool()
def variable(name: str) -> str:
    """Returns a variable of the environment."""
    return os.environ.get(name, "not set")


@server.tool()
def processes() -> int:
    """Counts the processes that there are."""
    return sum(name.isdigit() for name in os.listdir("/proc"))


@server.tool()
def end() -> str:
    """Ends the server in the middle of a call."""
    os._exit(3)


server.run("stdio")
