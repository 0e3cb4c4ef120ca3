"""MCP by hand: requests as bytes, answers compared with what the specification says."""

from __future__ import annotations

import base64
import http.client
import json
import uuid

from checks import Report
from harness import REST, Answer, Client
from seed import Seed

MODERN = "2026-07-28"
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")
META = "io.modelcontextprotocol/"
BOTH = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
DETAIL, REPLAY = "instainstru_webhook_detail", "instainstru_webhook_replay"
ABSENT = object()


class Wire:
    """Sends single messages to /mcp."""

    def __init__(self, url: str, token: str | None):
        self.client = Client(url, token)

    def send(self, message, headers: dict | None = None) -> Answer:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.client.post("/mcp", body, {**BOTH, **(headers or {})})

    def modern(
        self, method: str, params: dict | None = None, *, id=1, meta=None, headers=None, capabilities=None
    ) -> Answer:
        """A 2026-07-28 request; `headers` and `meta` replace members, and remove those given as ABSENT."""
        params = dict(params or {})
        params["_meta"] = _merged(
            {
                META + "protocolVersion": MODERN,
                META + "clientCapabilities": capabilities or {},
                META + "clientInfo": {"name": "wire", "version": "1"},
            },
            meta,
        )
        named = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}.get(method)
        sent = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if named and named in params:
            sent["Mcp-Name"] = params[named]
        return self.send(
            {"jsonrpc": "2.0", "id": id, "method": method, "params": params}, _merged(sent, headers)
        )

    def legacy(
        self, method: str, params: dict | None = None, *, id=1, version: str | None = LEGACY[0]
    ) -> Answer:
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        if params is not None:
            message["params"] = params
        return self.send(message, {"MCP-Protocol-Version": version} if version else None)


def _merged(base: dict, changes: dict | None) -> dict:
    return {key: value for key, value in {**base, **(changes or {})}.items() if value is not ABSENT}


def payload(answer: Answer) -> dict:
    """The message in an answer, be it JSON or the last event of a stream."""
    if answer.headers.get_content_type() != "text/event-stream":
        return answer.json
    data = [line[5:].strip() for line in answer.body.decode().splitlines() if line.startswith("data:")]
    return json.loads([line for line in data if line][-1])


def refused(report: Report, answer: Answer, status: int, code: int, what: str) -> dict:
    """Checks an error's HTTP status and JSON-RPC code; gives the error."""
    report.equal(answer.status, status, f"the status for {what}")
    try:
        error = payload(answer)["error"]
    except (ValueError, KeyError) as problem:
        report.fail(f"{what} is answered with a JSON-RPC error", f"{problem!r}: {answer}")
        return {}
    report.equal(error["code"], code, f"the code for {what}")
    report.check(error.get("message"), f"the error for {what} has a message")
    return error


def complete(report: Report, answer: Answer, kind: str, what: str) -> dict:
    """Checks a 2026-07-28 result."""
    if not report.equal(answer.status, 200, f"the status of {what}"):
        report.fail(f"{what} has a result", repr(answer))
        return {}
    message = payload(answer)
    report.conforms(message, MODERN, "JSONRPCResultResponse")
    result = message.get("result", {})
    report.equal(result.get("resultType"), "complete", f"resultType of {what}")
    report.conforms(result, MODERN, kind)
    report.check(META + "serverInfo" in result.get("_meta", {}), f"{what} names the server in _meta")
    return result


def run(report: Report, seed: Seed, token: str) -> None:
    wire = Wire(seed.server.url, token)
    parts = (
        ("2026 results", modern_results),
        ("2026 headers", modern_headers),
        ("2026 metadata", modern_metadata),
        ("2026 methods", modern_methods),
        ("2026 questions", modern_questions),
        ("2025 sessions", legacy_sessions),
        ("2025 session ids", session_ids),
        ("2025 errors", legacy_errors),
        ("framing", framing),
        ("web pages", web_pages),
    )
    with report.part("wire"):
        for name, part in parts:
            with report.part(name):
                part(report, wire, seed)


def modern_results(report: Report, wire: Wire, seed: Seed) -> None:
    found = complete(report, wire.modern("server/discover"), "DiscoverResult", "server/discover")
    report.equal(found.get("supportedVersions"), [MODERN], "supportedVersions")
    report.check(found.get("instructions"), "discovery has instructions")
    report.check("serverInfo" not in found, "serverInfo is in _meta alone")
    for method, kind, member in (
        ("tools/list", "ListToolsResult", "tools"),
        ("resources/list", "ListResourcesResult", "resources"),
        ("resources/templates/list", "ListResourceTemplatesResult", "resourceTemplates"),
        ("prompts/list", "ListPromptsResult", "prompts"),
    ):
        result = complete(report, wire.modern(method), kind, method)
        report.check(isinstance(result.get(member), list), f"{method} gives {member}")
        _cacheable(report, result, method)
        report.equal(wire.modern(method).body, wire.modern(method).body, f"{method} asked twice")
        refused(
            report, wire.modern(method, {"cursor": "nonsense"}), 400, -32602, f"{method} with a bad cursor"
        )
    _cacheable(report, found, "server/discover")
    event = seed.ledger_id("evt_seed_2")
    result = complete(
        report,
        wire.modern("tools/call", {"name": DETAIL, "arguments": {"event_id": event}}),
        "CallToolResult",
        "tools/call",
    )
    report.equal(result["structuredContent"]["event"]["id"], event, "the event called for")
    report.equal(json.loads(result["content"][0]["text"]), result["structuredContent"], "the text block")
    result = complete(
        report,
        wire.modern("tools/call", {"name": "instainstru_webhooks_failed"}),
        "CallToolResult",
        "a call without arguments",
    )
    result = complete(
        report,
        wire.modern("tools/call", {"name": DETAIL, "arguments": {"event_id": "x"}}),
        "CallToolResult",
        "a call with a bad argument",
    )
    report.equal(result.get("isError"), True, "isError of a call with a bad argument")
    uri = f"instainstru://webhooks/{event}"
    _cacheable(
        report, complete(report, wire.modern("resources/read", {"uri": uri}), "ReadResourceResult", uri), uri
    )
    complete(
        report,
        wire.modern("prompts/get", {"name": "webhook_triage", "arguments": {"hours": "3"}}),
        "GetPromptResult",
        "prompts/get",
    )
    complete(
        report,
        wire.modern(
            "completion/complete",
            {
                "ref": {"type": "ref/prompt", "name": "webhook_triage"},
                "argument": {"name": "source", "value": "s"},
            },
        ),
        "CompleteResult",
        "completion/complete",
    )


def _cacheable(report: Report, result: dict, what: str) -> None:
    ttl = result.get("ttlMs")
    report.check(isinstance(ttl, int) and ttl >= 0, f"{what} has ttlMs", ttl)
    report.check(
        result.get("cacheScope") in ("public", "private"), f"{what} has cacheScope", result.get("cacheScope")
    )


def modern_headers(report: Report, wire: Wire, seed: Seed) -> None:
    event = seed.ledger_id("evt_seed_2")
    call = {"name": DETAIL, "arguments": {"event_id": event}}
    encoded = "=?base64?" + base64.b64encode(DETAIL.encode()).decode() + "?="
    for headers, what in (
        ({"Mcp-Method": ABSENT}, "no Mcp-Method"),
        ({"Mcp-Method": "tools/list"}, "another Mcp-Method"),
        ({"Mcp-Method": "Tools/Call"}, "Mcp-Method in another case"),
        ({"Mcp-Name": ABSENT}, "no Mcp-Name"),
        ({"Mcp-Name": REPLAY}, "another Mcp-Name"),
        ({"Mcp-Name": DETAIL.upper()}, "Mcp-Name in another case"),
        ({"Mcp-Name": "=?base64?!!!?="}, "an undecodable Mcp-Name"),
        ({"MCP-Protocol-Version": ABSENT}, "no version header"),
        ({"MCP-Protocol-Version": LEGACY[0]}, "the version header of another revision"),
        ({"Mcp-Name": encoded[:-6] + "?="}, "a truncated base64 Mcp-Name"),
    ):
        answer = wire.modern("tools/call", call, headers=headers)
        error = refused(report, answer, 400, -32020, what)
        if error:
            report.conforms(answer.json, MODERN, "JSONRPCErrorResponse")
    for headers, what in (
        ({"Mcp-Name": encoded}, "a base64 Mcp-Name"),
        ({"Mcp-Name": f"  {DETAIL}  "}, "white space around Mcp-Name"),
        ({"Accept": "*/*"}, "any Accept"),
        ({"Accept": ABSENT}, "no Accept"),
        ({"Mcp-Session-Id": "whatever", "Last-Event-ID": "5"}, "headers of older revisions"),
        ({"Mcp-Param-Region": "eu"}, "an unknown Mcp-Param"),
    ):
        answer = wire.modern("tools/call", call, headers=headers)
        report.equal(answer.status, 200, f"the status with {what}")
        report.check("Mcp-Session-Id" not in answer.headers, f"no session is minted with {what}")
    twice = [("Mcp-Method", "tools/list"), ("Mcp-Method", "tools/list"), ("MCP-Protocol-Version", MODERN)]
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    refused(report, _raw(wire, body, twice), 400, -32020, "Mcp-Method twice")


def _raw(wire: Wire, message: dict, headers: list[tuple[str, str]]) -> Answer:
    """Sends header fields exactly as given, repeated ones included."""
    connection = http.client.HTTPConnection(wire.client.host, wire.client.port, timeout=30)
    body = json.dumps(message).encode()
    connection.putrequest("POST", "/mcp")
    for name, value in [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Authorization", f"Bearer {wire.client.token}"),
        *headers,
    ]:
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def modern_metadata(report: Report, wire: Wire, seed: Seed) -> None:
    for meta, what in (
        ({META + "protocolVersion": ABSENT}, "no protocolVersion"),
        ({META + "clientCapabilities": ABSENT}, "no clientCapabilities"),
        ({META + "protocolVersion": 7}, "a protocolVersion that is no text"),
        ({META + "clientCapabilities": "all"}, "clientCapabilities that are no object"),
    ):
        refused(report, wire.modern("tools/list", meta=meta), 400, -32602, what)
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    message = {"jsonrpc": "2.0", "id": 5, "method": "tools/list"}
    refused(report, wire.send(message, headers), 400, -32602, "no params")
    refused(report, wire.send({**message, "params": {"_meta": None}}, headers), 400, -32602, "a null _meta")
    answer = wire.modern("tools/list", meta={META + "clientInfo": ABSENT})
    report.equal(answer.status, 200, "the status without clientInfo")
    for method in ("server/discover", "tools/list", "no/such"):
        later = "2027-01-01"
        answer = wire.modern(
            method, meta={META + "protocolVersion": later}, headers={"MCP-Protocol-Version": later}
        )
        error = refused(report, answer, 400, -32022, f"{method} of {later}")
        report.equal(
            error.get("data"),
            {"supported": [MODERN], "requested": later},
            f"the data for {method} of {later}",
        )
        report.conforms(payload(answer), MODERN, "UnsupportedProtocolVersionError")


def modern_methods(report: Report, wire: Wire, seed: Seed) -> None:
    for method in (
        "no/such",
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/list",
        "elicitation/create",
        "roots/list",
        "Tools/List",
        "",
    ):
        params = {"uri": "instainstru://webhooks/x", "level": "info", "protocolVersion": MODERN}
        answer = wire.modern(method, params)
        if method:
            refused(report, answer, 404, -32601, f"the method '{method}'")
        else:
            report.check(400 <= answer.status < 500, "an empty method is refused", answer)
    listening = wire.modern("server/discover").json["result"]["capabilities"]
    declared = any(
        feature.get("listChanged") or feature.get("subscribe") for feature in listening.values() if feature
    )
    if not declared:
        answer = wire.modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        refused(report, answer, 404, -32601, "listening to what is not offered")
    refused(report, wire.modern("tools/call", {"name": "no_such_tool"}), 400, -32602, "an unknown tool")
    refused(report, wire.modern("prompts/get", {"name": "no_such"}), 400, -32602, "an unknown prompt")
    refused(
        report,
        wire.modern("prompts/get", {"name": "webhook_triage", "arguments": {"hours": "never"}}),
        400,
        -32602,
        "a prompt's bad argument",
    )
    for uri in (
        "instainstru://webhooks/01J00000000000000000000000",
        "instainstru://webhooks/../audit/1",
        "file:///etc/passwd",
        "instainstru://nothing/1",
        "x",
    ):
        error = refused(
            report, wire.modern("resources/read", {"uri": uri}), 400, -32602, f"the resource {uri}"
        )
        report.equal((error.get("data") or {}).get("uri"), uri, f"the uri in the error for {uri}")
    for arguments in (None, [], "x", 7):
        answer = wire.modern("tools/call", {"name": DETAIL, "arguments": arguments})
        report.check(answer.status in (200, 400), f"arguments {arguments!r} are refused, not fatal", answer)
    for id in ("7", 0, 2**53 - 1, -5, "", "a b\u2028\U0001f600"):
        answer = wire.modern("tools/list", id=id)
        report.equal(answer.json.get("id"), id, f"the id of the answer to {id!r}")


def modern_questions(report: Report, wire: Wire, seed: Seed) -> None:
    ledger = seed.ledger_id("evt_seed_4")
    before = seed.replays(ledger)
    arguments = {"event_id": ledger, "dry_run": False, "force": True, "reason": "asked for by the suite"}
    call = {"name": REPLAY, "arguments": arguments}
    form = {"elicitation": {}}

    def ask(sender: Wire = wire) -> dict:
        message = payload(sender.modern("tools/call", call, capabilities=form))
        report.conforms(message["result"], MODERN, "InputRequiredResult")
        report.equal(message["result"]["resultType"], "input_required", "resultType of a question")
        return message["result"]

    def reply(asked: dict, answer: dict, sender: Wire = wire, **changes) -> Answer:
        key = next(iter(asked["inputRequests"]))
        params = {**call, "inputResponses": {key: answer}, "requestState": asked["requestState"], **changes}
        return sender.modern("tools/call", params, id=str(uuid.uuid4()), capabilities=form)

    yes = {"action": "accept", "content": {"confirm": True}}
    asked = ask()
    request = next(iter(asked["inputRequests"].values()))
    report.equal(request["method"], "elicitation/create", "the question's method")
    report.check(
        ledger in request["params"]["message"], "the question names the event", request["params"]["message"]
    )
    report.equal(seed.replays(ledger), before, "the number of replays after a question")
    state = asked["requestState"]
    for forged, what in (
        (state[:-4] + ("AAAA" if not state.endswith("AAAA") else "BBBB"), "a forged state"),
        ("", "an empty state"),
        (state[: len(state) // 2], "half a state"),
        ("\u00e9" * 40, "a state of other letters"),
    ):
        refused(report, reply(asked, yes, requestState=forged), 400, -32602, what)
    other = {**arguments, "reason": "another reason"}
    refused(report, reply(asked, yes, arguments=other), 400, -32602, "the state of another call")
    stranger = Wire(seed.server.url, seed.server.token("stranger"))
    refused(report, reply(asked, yes, stranger), 400, -32602, "the state of another caller")
    declined = payload(reply(asked, {"action": "decline"}))["result"]
    report.equal(declined.get("isError"), True, "isError after a no")
    for unusable in (
        {"action": "accept"},
        {"action": "accept", "content": {"confirm": "yes"}},
        {"action": "maybe"},
        {},
    ):
        answer = reply(ask(), unusable)
        report.check(answer.status in (200, 400), f"the answer {unusable} does not break anything", answer)
    report.equal(seed.replays(ledger), before, "the number of replays without a yes")
    asked = ask()
    done = complete(report, reply(asked, yes), "CallToolResult", "the confirmed replay")
    report.equal(done["structuredContent"]["result"]["status"], "replayed", "the result of the replay")
    again = payload(reply(asked, yes))
    report.check(
        "error" in again
        or again["result"].get("isError")
        or again["result"]["resultType"] == "input_required",
        "a yes is good once",
        again,
    )
    report.equal(seed.replays(ledger), before + 1, "the number of replays after one yes")


def legacy_sessions(report: Report, wire: Wire, seed: Seed) -> None:
    client = {"name": "wire", "version": "1"}
    for version in LEGACY:
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
        answer = wire.legacy("initialize", params, version=None)
        result = payload(answer)["result"]
        report.equal(result["protocolVersion"], version, "the version agreed on")
        report.conforms(result, version, "InitializeResult")
        answer = wire.send(
            {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"MCP-Protocol-Version": version}
        )
        report.equal((answer.status, answer.body), (202, b""), "the answer to a notification")
        event = seed.ledger_id("evt_seed_3")
        for method, params, kind in (
            ("ping", None, "EmptyResult"),
            ("tools/list", None, "ListToolsResult"),
            ("tools/list", {}, "ListToolsResult"),
            ("resources/list", {}, "ListResourcesResult"),
            ("prompts/list", {}, "ListPromptsResult"),
            ("resources/templates/list", {}, "ListResourceTemplatesResult"),
            ("tools/call", {"name": DETAIL, "arguments": {"event_id": event}}, "CallToolResult"),
            ("tools/call", {"name": "instainstru_webhooks_failed"}, "CallToolResult"),
            (
                "tools/call",
                {"name": REPLAY, "arguments": {"event_id": event, "force": True, "reason": "dry"}},
                "CallToolResult",
            ),
            ("resources/read", {"uri": f"instainstru://webhooks/{event}"}, "ReadResourceResult"),
            ("prompts/get", {"name": "webhook_triage"}, "GetPromptResult"),
        ):
            answer = wire.legacy(method, params, version=version)
            report.equal(answer.status, 200, f"the status of {method} in {version}")
            message = payload(answer)
            if report.check("result" in message, f"{method} of {version} has a result", message):
                report.conforms(message["result"], version, kind)
        titles = [
            tool
            for tool in wire.legacy("tools/list", version=version).json["result"]["tools"]
            if "title" in tool
        ]
        report.equal(bool(titles), version != "2025-03-26", f"whether tools have titles in {version}")
    for offered in ("1999-01-01", MODERN, "2099-01-01", "x"):
        params = {"protocolVersion": offered, "capabilities": {}, "clientInfo": client}
        result = payload(wire.legacy("initialize", params, version=None)).get("result", {})
        report.equal(result.get("protocolVersion"), LEGACY[0], f"the counter-offer to {offered}")
    answer = wire.legacy("tools/list", version=None)
    report.equal(answer.status, 200, "the status without any version")


def session_ids(report: Report, wire: Wire, seed: Seed) -> None:
    """An id is given, need not be returned, and is good for nobody else."""
    params = {
        "protocolVersion": LEGACY[0],
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "wire", "version": "1"},
    }
    id = wire.legacy("initialize", params, version=None).headers.get("Mcp-Session-Id", "")
    report.check(0 < len(id) < 1_100 and all(33 <= ord(c) <= 126 for c in id), "the id is visible ASCII", id)
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    version = {"MCP-Protocol-Version": LEGACY[0]}
    answer = wire.send(listing, {**version, "Mcp-Session-Id": id})
    report.equal(answer.status, 200, "the status with the id")
    report.equal(wire.send(listing, version).status, 200, "the status without it")
    stranger = Wire(seed.server.url, seed.server.token("session stranger"))
    for sender, given, what in (
        (wire, id[:-4] + "AAAA", "a forged id"),
        (wire, "1868a90c-0d0a-4d3a-9e6e-1b1b2a2b3c3d", "an id of another server"),
        (wire, id[: len(id) // 2], "half an id"),
        (stranger, id, "the id of another caller"),
    ):
        answer = sender.send(listing, {**version, "Mcp-Session-Id": given})
        # 404 is what makes clients initialize again (2025-11-25, Session Management).
        report.equal(answer.status, 404, f"the status for {what}")
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = wire.send(note, {**version, "Mcp-Session-Id": id})
    report.equal((answer.status, answer.body), (202, b""), "the answer to a notification with the id")
    given = {"event_id": seed.ledger_id("evt_seed_7"), "force": True, "reason": "dry run"}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": REPLAY, "arguments": given}}
    message = payload(wire.send(call, {**version, "Mcp-Session-Id": id}))
    report.check(
        "result" in message and not message["result"].get("isError"), "a dry run asks nobody", message
    )


def legacy_errors(report: Report, wire: Wire, seed: Seed) -> None:
    refused(report, wire.legacy("no/such"), 200, -32601, "an unknown method")
    refused(report, wire.legacy("tools/call", {"name": "no_such_tool"}), 200, -32602, "an unknown tool")
    refused(report, wire.legacy("tools/call", {}), 200, -32602, "a call without a name")
    error = refused(
        report,
        wire.legacy("resources/read", {"uri": "instainstru://webhooks/01J00000000000000000000000"}),
        200,
        -32002,
        "a resource that is not there",
    )
    report.check(error.get("data"), "the error for a missing resource names it")
    refused(report, wire.legacy("prompts/get", {"name": "no_such"}), 200, -32602, "an unknown prompt")
    answer = wire.legacy("tools/list", version="1999-01-01")
    report.equal(answer.status, 400, "the status for an unknown version header")
    for id in ("7", 0, 2**53 - 1):
        report.equal(
            wire.legacy("ping", id=id).json, {"jsonrpc": "2.0", "id": id, "result": {}}, f"the pong to {id!r}"
        )


def framing(report: Report, wire: Wire, seed: Seed) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    version = {"MCP-Protocol-Version": "2025-06-18"}
    answer = wire.send([ping], version)
    report.equal(answer.status, 400, "the status for a batch after 2025-03-26")
    for body, code, what in (
        (b"", -32700, "an empty body"),
        (b"{", -32700, "half an object"),
        (b"\xff\xfe{}", -32700, "bytes that are no UTF-8"),
        (b"null", -32600, "null"),
        (b"7", -32600, "a number"),
        (b"{}", -32600, "an empty object"),
        (json.dumps({**ping, "jsonrpc": "1.0"}).encode(), -32600, "JSON-RPC 1.0"),
        (json.dumps({**ping, "id": None}).encode(), -32600, "an id of null"),
        (json.dumps({**ping, "id": {"a": 1}}).encode(), -32600, "an id that is an object"),
        (json.dumps({**ping, "method": 7}).encode(), -32600, "a method that is a number"),
        (json.dumps({**ping, "params": [1]}).encode(), -32600, "params in a list"),
        (b"[" * 10_000 + b"]" * 10_000, -32700, "10,000 levels"),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700, "a member twice"),
    ):
        answer = wire.send(body, version)
        report.equal(answer.status, 400, f"the status for {what}")
        error = answer.json.get("error", {}) if answer.body else {}
        # Which of the two codes fits is a matter of taste for some; no other one does.
        report.check(error.get("code") in (-32700, -32600, -32602), f"the code for {what}", error)
        report.check(error.get("message"), f"the error for {what} says what is wrong", error)
        report.check(
            answer.json.get("id", "") is not None, f"the error for {what} has no id of null", answer.json
        )
    answer = wire.send({"jsonrpc": "2.0", "id": 77, "result": {}}, version)
    report.equal(answer.status, 400, "the status for an answer to no question")
    answer = wire.send({"jsonrpc": "2.0", "method": "notifications/unknown"}, version)
    report.equal((answer.status, answer.body), (202, b""), "the answer to an unknown notification")
    answer = wire.client.post("/mcp", json.dumps(ping).encode(), {"Content-Type": "text/plain"})
    report.equal(answer.status, 415, "the status for text/plain")
    for method in ("GET", "DELETE"):
        answer = wire.client.request(method, "/mcp", headers={"Accept": "text/event-stream"})
        report.equal(answer.status, 405, f"the status for {method}")
        report.check(
            "POST" in answer.headers.get("Allow", ""), f"Allow for {method}", answer.headers.get("Allow")
        )


def web_pages(report: Report, wire: Wire, seed: Seed) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"):
        answer = wire.modern("tools/list", headers={"Origin": origin})
        report.equal(answer.status, 403, f"the status for the origin {origin}")
    answer = wire.modern("tools/list", headers={"Origin": f"http://localhost:{wire.client.port}"})
    report.equal(answer.status, 200, "the status for a page of this machine")
    answer = wire.modern("tools/list", headers={"Host": "evil.example"})
    report.check(400 <= answer.status < 500, "another host name is refused", answer)
    answer = Client(seed.server.url).get(REST + "webhooks", {"Host": "evil.example"})
    report.check(400 <= answer.status < 500, "another host name is refused over REST", answer)
