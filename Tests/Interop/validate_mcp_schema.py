#!/usr/bin/env python3
"""Checks what an MCP server sends against the published JSON schemas.

Usage: validate_mcp_schema.py [--schemas DIR] COMMAND [ARG...]

COMMAND is a server on standard input and output, such as mcp-conformance.
Every answer and notification is validated in the revision it was asked in.
Without the schemas or the jsonschema package nothing is checked and the exit
status is 0; otherwise it is 1 when anything is invalid.
"""

import json
import os
import subprocess
import sys

MODERN = "2026-07-28"
LEGACY = ["2025-03-26", "2025-06-18", "2025-11-25"]
ROOT = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = os.path.join(ROOT, "..", "..", "..", "shared", "data", "mcp-schema")
META = "io.modelcontextprotocol/"
CAPABILITIES = {"elicitation": {}, "sampling": {}, "roots": {}}

# Method to the definition of its result.
RESULTS = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "logging/setLevel": "EmptyResult",
    "resources/subscribe": "EmptyResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
    "subscriptions/listen": "SubscriptionsListenResult",
}
NOTIFICATIONS = {
    "notifications/progress": "ProgressNotification",
    "notifications/message": "LoggingMessageNotification",
    "notifications/subscriptions/acknowledged": "SubscriptionsAcknowledgedNotification",
    "notifications/tools/list_changed": "ToolListChangedNotification",
    "notifications/cancelled": "CancelledNotification",
}
QUESTIONS = {
    "elicitation/create": "ElicitRequest",
    "sampling/createMessage": "CreateMessageRequest",
    "roots/list": "ListRootsRequest",
}
ERRORS = {-32020: "HeaderMismatchError", -32021: "MissingRequiredClientCapabilityError",
          -32022: "UnsupportedProtocolVersionError"}


class Server:
    """A server process and the messages it sends."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.next_id = 0

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params, answer=None):
        """Sends a request; yields every message up to and including its response."""
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        while line := self.process.stdout.readline():
            message = json.loads(line)
            yield message
            if "method" not in message and message.get("id") == self.next_id:
                return
            if "method" in message and "id" in message:
                reply = answer(message) if answer else {"action": "decline"}
                self.send({"id": message["id"], "result": reply})
        raise SystemExit("the server ended early")

    def close(self):
        self.process.stdin.close()
        if self.process.wait(timeout=30) != 0:
            raise SystemExit("the server failed")


class Checker:
    """Validates messages of one revision."""

    def __init__(self, directory, revision):
        from jsonschema import Draft7Validator, Draft202012Validator

        with open(os.path.join(directory, f"{revision}.json")) as file:
            self.schema = json.load(file)
        self.revision = revision
        self.key = "$defs" if "$defs" in self.schema else "definitions"
        self.validator = Draft202012Validator if self.key == "$defs" else Draft7Validator
        self.count = 0
        self.failures = []

    def check(self, definition, value, what):
        self.count += 1
        if definition not in self.schema[self.key]:
            self.failures.append(f"{self.revision} {what}: no definition {definition}")
            return
        schema = {"$ref": f"#/{self.key}/{definition}", self.key: self.schema[self.key]}
        for error in self.validator(schema).iter_errors(value):
            path = "/".join(str(part) for part in error.absolute_path)
            self.failures.append(f"{self.revision} {what} at {path}: {error.message[:200]}")

    def check_all(self, method, messages):
        for message in messages:
            name = message.get("method")
            if name in QUESTIONS and "id" in message:
                self.check(QUESTIONS[name], message, name)
            elif name:
                self.check(NOTIFICATIONS[name], message, name)
            elif "error" in message:
                generic = "JSONRPCErrorResponse" if self.revision > "2025-06-18" else "JSONRPCError"
                self.check(ERRORS.get(message["error"]["code"], generic), message, f"{method} error")
            else:
                result = message["result"]
                waiting = result.get("resultType") == "input_required"
                self.check("InputRequiredResult" if waiting else RESULTS[method], result, f"{method} result")


def requests(tools, prompts):
    """What to ask for, in any revision."""
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]:
        yield method, {}
    for uri in ["test://static-text", "test://static-binary", "test://template/7/data", "test://none"]:
        yield "resources/read", {"uri": uri}
    for name in tools:
        yield "tools/call", {"name": name, "arguments": {}, "_meta": {"progressToken": f"p-{name}"}}
    yield "tools/call", {"name": "no such tool"}
    for prompt in prompts:
        arguments = {argument["name"]: "test://x" for argument in prompt.get("arguments", [])}
        yield "prompts/get", {"name": prompt["name"], "arguments": arguments}
    yield "prompts/get", {"name": "no such prompt"}
    yield "completion/complete", {
        "ref": {"type": "ref/prompt", "name": prompts[0]["name"]},
        "argument": {"name": "arg1", "value": "par"}}
    yield "nonsense", {}


def answer(message):
    """What a client's user, model or file system says."""
    if message["method"] == "sampling/createMessage":
        return {"role": "assistant", "model": "m", "content": {"type": "text", "text": "hi"}}
    if message["method"] == "roots/list":
        return {"roots": [{"uri": "file:///tmp"}]}
    return {"action": "accept", "content": {"username": "bo"}}


def run(command, directory, revision):
    server = Server(command)
    checker = Checker(directory, revision)
    is_modern = revision == MODERN

    def ask(method, params):
        params = json.loads(json.dumps(params))
        if is_modern:
            params.setdefault("_meta", {}).update({
                META + "protocolVersion": revision, META + "clientCapabilities": CAPABILITIES,
                META + "logLevel": "debug"})
        messages = list(server.ask(method, params, answer))
        checker.check_all(method, messages)
        return messages[-1].get("result", {})

    if is_modern:
        ask("server/discover", {})
        meta = {META + "protocolVersion": "2099-01-01", META + "clientCapabilities": {}}
        checker.check_all("tools/list", server.ask("tools/list", {"_meta": meta}))
        meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
        call = {"name": "test_missing_capability", "_meta": meta}
        checker.check_all("tools/call", server.ask("tools/call", call))
    else:
        client = {"name": "validator", "version": "1"}
        ask("initialize", {"protocolVersion": revision, "capabilities": CAPABILITIES, "clientInfo": client})
        ask("ping", {})
        ask("logging/setLevel", {"level": "debug"})
        ask("resources/subscribe", {"uri": "test://static-text"})
    tools = [tool["name"] for tool in ask("tools/list", {})["tools"]]
    prompts = ask("prompts/list", {})["prompts"]
    if revision < "2025-11-25" and "test_elicitation_sep1330_enums" in tools:
        # The fixture asks with a form that only later revisions have.
        tools.remove("test_elicitation_sep1330_enums")
    for method, params in requests(tools, prompts):
        ask(method, params)
    server.close()
    return checker


def main(arguments):
    directory = SCHEMAS
    if arguments[:1] == ["--schemas"]:
        directory, arguments = arguments[1], arguments[2:]
    if not arguments:
        raise SystemExit(__doc__)
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        print("skipped: the jsonschema package is absent")
        return 0
    if not os.path.isdir(directory):
        print("skipped: the schemas are absent")
        return 0
    failures = []
    for revision in LEGACY + [MODERN]:
        checker = run(arguments, directory, revision)
        print(f"{revision}: {checker.count} messages, {len(checker.failures)} invalid")
        failures += checker.failures
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
