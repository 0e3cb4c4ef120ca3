"""The clients of others behind one small face: the official SDK and FastMCP, over HTTP and stdio."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TextIO

import fastmcp
import httpx2
from fastmcp.client.elicitation import ElicitResult as FastElicitResult
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitResult, ResourceTemplateReference

from harness import Server

MODERN, LEGACY = "2026-07-28", "legacy"


class Person:
    """Who is asked when the server wants a yes; remembers the questions."""

    def __init__(self, agrees: bool, declines_by: str = "decline"):
        self.agrees, self.declines_by = agrees, declines_by
        self.questions: list[str] = []

    async def official(self, _context, params) -> ElicitResult:
        self.questions.append(params.message)
        if self.agrees:
            return ElicitResult(action="accept", content={"confirm": True})
        if self.declines_by == "unticked":
            return ElicitResult(action="accept", content={"confirm": False})
        return ElicitResult(action=self.declines_by)

    async def fast(self, message, _type, _params, _context) -> Any:
        self.questions.append(message)
        if self.agrees:
            return FastElicitResult(action="accept", content={"confirm": True})
        if self.declines_by == "unticked":
            return FastElicitResult(action="accept", content={"confirm": False})
        return FastElicitResult(action=self.declines_by)


@dataclass
class Session:
    """What the suites need of any connected client."""

    name: str
    client: Any
    is_fast: bool

    async def tools(self) -> list:
        if self.is_fast:
            return await self.client.list_tools()
        return (await self.client.list_tools()).tools

    async def call(self, tool: str, arguments: dict | None = None) -> CallToolResult:
        if self.is_fast:
            return await self.client.call_tool_mcp(tool, arguments or {})
        return await self.client.call_tool(tool, arguments or {})

    async def templates(self) -> list:
        if self.is_fast:
            return await self.client.list_resource_templates()
        return (await self.client.list_resource_templates()).resource_templates

    async def resources(self) -> list:
        return (
            await self.client.list_resources()
            if self.is_fast
            else (await self.client.list_resources()).resources
        )

    async def read(self, uri: str) -> str:
        found = await self.client.read_resource(uri)
        return (found if self.is_fast else found.contents)[0].text

    async def prompts(self) -> list:
        return (
            await self.client.list_prompts() if self.is_fast else (await self.client.list_prompts()).prompts
        )

    async def prompt(self, name: str, arguments: dict[str, str]) -> str:
        return (await self.client.get_prompt(name, arguments)).messages[0].content.text

    async def complete(self, template: str, argument: str, value: str) -> list[str]:
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        if self.is_fast:
            return (
                await self.client.session.complete(reference, {"name": argument, "value": value})
            ).completion.values
        return (await self.client.complete(reference, {"name": argument, "value": value})).completion.values


def stdio_environment(server: Server, token: str | None) -> dict[str, str]:
    return {**server.environment, **({"INSTAINSTRU_TOKEN": token} if token else {})}


@asynccontextmanager
async def official(
    server: Server, token: str | None, mode: str, transport: str, person: Person | None, log: TextIO
) -> AsyncIterator[Session]:
    """The Python SDK's client."""
    asks = {"elicitation_callback": person.official} if person else {}
    if transport == "http":
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
            streams = streamable_http_client(server.url + "/mcp", http_client=http)
            async with Client(streams, mode=mode, read_timeout_seconds=30, **asks) as client:
                yield Session(f"mcp {mode} {transport}", client, is_fast=False)
    else:
        parameters = StdioServerParameters(
            command=server.binary,
            args=["mcp", "--stdio", "--data", str(server.data)],
            env=stdio_environment(server, token),
            cwd=str(server.data),
        )
        async with Client(
            stdio_client(parameters, errlog=log), mode=mode, read_timeout_seconds=30, **asks
        ) as client:
            yield Session(f"mcp {mode} {transport}", client, is_fast=False)


@asynccontextmanager
async def fast(
    server: Server, token: str | None, mode: str, transport: str, person: Person | None, log: TextIO
) -> AsyncIterator[Session]:
    """FastMCP's client."""
    asks = {"elicitation_handler": person.fast} if person else {}
    if transport == "http":
        streams = StreamableHttpTransport(server.url + "/mcp", headers={"Authorization": f"Bearer {token}"})
    else:
        streams = StdioTransport(
            server.binary,
            ["mcp", "--stdio", "--data", str(server.data)],
            env=stdio_environment(server, token),
            cwd=str(server.data),
            keep_alive=False,
            log_file=log,
        )
    async with fastmcp.Client(streams, mode=mode, timeout=30, **asks) as client:
        yield Session(f"fastmcp {mode} {transport}", client, is_fast=True)


# FastMCP checks for a newer version of itself unless told otherwise.
os.environ.setdefault("FASTMCP_CHECK_FOR_UPDATES", "off")
