import Features
import Foundation
import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// The surfaces as a client sees them.
@Suite struct SurfaceTests {
    @Test func healthNeedsNoTokenAndSaysWhatRuns() async throws {
        try await TestServer.run(.sqlite) {
            $0.gitSHA = "abc123"
        } _: { server in
            for path in ["/health", "/api/v1/health"] {
                let answer = try await server.send(.GET, path)
                #expect(answer.status == 200)
                #expect(answer.json["status"] == "ok")
                #expect(answer.json["git_sha"] == "abc123")
                #expect(answer.json["service"] == "instainstru")
                for key in ["version", "started_at", "uptime_seconds"] { #expect(answer.json[key] != nil) }
            }
            #expect(try await server.send(.GET, "/ready").json["status"] == "ready")
        }
    }

    @Test func metricsFromAProxiedPeerNeedTheirToken() async throws {
        try await TestServer.run(.sqlite) {
            $0.metricsToken = "m3trics"
        } _: { server in
            #expect(try await server.send(.GET, "/metrics").status == 200)
            let forwarded = ("X-Forwarded-For", "203.0.113.9")
            #expect(try await server.send(.GET, "/metrics", headers: [forwarded]).status == 401)
            let answer = try await server.send(.GET, "/metrics", token: "m3trics", headers: [forwarded])
            #expect(answer.status == 200)
            let text = String(decoding: answer.bytes, as: UTF8.self)
            #expect(
                text.contains(
                    "instainstru_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"} 1"))
            #expect(text.hasSuffix("\n"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSignedWebhookIsStoredProcessedAndFoundByEverySurface(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let token = try await server.token().text
            let body = Array(
                (#"{"id":"evt_1","object":"event","type":"customer.created","created":1764000000,"#
                    + #""data":{"object":{"id":"cus_1"}}}"#).utf8)
            let signature = StripeSignature.sign(
                body: body, secret: TestServer.stripeSecret, seconds: Instant.now().microseconds / 1_000_000)
            let first = try await server.send(
                .POST, "/api/v1/payments/webhooks/stripe",
                headers: [("Stripe-Signature", signature), ("Content-Type", "application/json")], body: body)
            #expect(first.status == 200)
            #expect(first.json["status"] == "received")
            let again = try await server.send(
                .POST, "/api/v1/payments/webhooks/stripe", headers: [("Stripe-Signature", signature)],
                body: body)
            #expect(again.json["status"] == "duplicate")
            #expect(again.json["webhook_id"] == first.json["webhook_id"])
            let id = try #require(first.json["webhook_id"]?.stringValue)
            try await server.eventually("the worker has processed it") {
                let rest = try await server.send(.GET, "/api/v1/admin/mcp/webhooks/\(id)", token: token)
                return rest.json["event"]?["status"] == "processed"
            }
            let rest = try await server.send(.GET, "/api/v1/admin/mcp/webhooks/\(id)", token: token).json
            let tool = try await server.call(
                "instainstru_webhook_detail", ["event_id": .string(id)], token: token
            ).json
            #expect(tool["result"]?["structuredContent"]?["event"] == rest["event"])
            #expect(rest["event"]?["delivery_count"] == 2)
            let text = try #require(tool["result"]?["content"]?[0]?["text"]?.stringValue)
            #expect(try JSONValue(parsing: text) == tool["result"]?["structuredContent"])
            let resource = try await server.mcp(
                "resources/read", ["uri": .string("instainstru://webhooks/\(id)")],
                name: "instainstru://webhooks/\(id)",
                token: token)
            let contents = try #require(resource.json["result"]?["contents"]?[0]?["text"]?.stringValue)
            #expect(try JSONValue(parsing: contents)["event"] == rest["event"])
        }
    }

    @Test func aWebhookWithAWrongSignatureIsRefusedAndNotStored() async throws {
        try await TestServer.run(.sqlite) { server in
            let answer = try await server.send(
                .POST, "/api/v1/payments/webhooks/stripe",
                headers: [("Stripe-Signature", "t=1,v1=00"), ("Content-Type", "application/json")],
                body: Array("{}".utf8))
            #expect(answer.status == 400)
            #expect(answer.json["detail"]?.stringValue?.contains("signature") == true)
            let rows: Int? = try await server.platform.database.read {
                try $0.value("SELECT COUNT(*) FROM webhook_events")
            }
            #expect(rows == 0)
        }
    }

    @Test func anUnconfiguredSourceAsksTheProviderToTryAgain() async throws {
        try await TestServer.run(.sqlite) {
            ($0.stripeWebhookSecret, $0.stripeAPIKey) = (nil, "sk_live_1")
        } _: { server in
            let answer = try await server.send(
                .POST, "/api/v1/payments/webhooks/stripe", headers: [("Stripe-Signature", "t=1,v1=00")],
                body: [])
            #expect(answer.status == 500)
            #expect(answer.json["detail"]?.stringValue?.contains("STRIPE_WEBHOOK_SECRET") == true)
        }
    }

    @Test func badRequestsAreNamedAndNeverAServerError() async throws {
        try await TestServer.run(.sqlite) { server in
            let token = try await server.token().text
            let list = "/api/v1/admin/mcp/webhooks"
            let json = [("Content-Type", "application/json")]
            let replay = "\(list)/01M82TSVD8A6Q4K3DVTACBZKA2/replay"
            let cases: [(HTTPMethod, String, [(String, String)], [UInt8]?, Int, String)] = [
                (.GET, "\(list)?limit=0", [], nil, 422, "limit"),
                (.GET, "\(list)?limit=1&limit=2", [], nil, 422, "limit"),
                (.GET, "\(list)?nope=1", [], nil, 422, "nope"),
                (.GET, "\(list)?cursor=@@", [], nil, 422, "cursor"),
                (.GET, "\(list)?source=%FF", [], nil, 400, "percent"),
                (.GET, "\(list)/not-a-ulid", [], nil, 422, "event_id"),
                (.GET, "\(list)/01M82TSVD8A6Q4K3DVTACBZKA2", [], nil, 404, "01M82TSVD8A6Q4K3DVTACBZKA2"),
                (.GET, "\(list)/..%2F..%2Faudit%2Fsearch", [], nil, 422, "event_id"),
                (.POST, replay, json, Array("{".utf8), 400, "JSON"),
                (.POST, replay, json, Array("[]".utf8), 422, "object"),
                (.POST, replay, json, [0x22, 0xFF, 0x22], 400, "JSON"),
                (.POST, replay, [("Content-Type", "text/plain")], Array("{}".utf8), 415, "application/json"),
                (.POST, replay, json, Array(repeating: 0x5B, count: 10_000), 400, "JSON"),
                (.POST, replay, json, Array(#"{"dry_run":"perhaps"}"#.utf8), 422, "dry_run"),
                (.POST, replay, json, Array(repeating: 0x20, count: 2 << 20), 413, "bytes"),
                (.DELETE, list, [], nil, 405, "GET"),
                (.GET, "/nowhere", [], nil, 404, "nothing"),
            ]
            for (method, path, headers, body, status, word) in cases {
                let answer = try await server.send(method, path, token: token, headers: headers, body: body)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(
                    answer.headers.first(name: "Content-Type") == "application/problem+json",
                    "\(method) \(path)")
                #expect(String(decoding: answer.bytes, as: UTF8.self).contains(word), "\(method) \(path)")
                #expect(answer.headers.first(name: "X-Request-Id") == answer.json["request_id"]?.stringValue)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatDoesNotExistIsOnRecordFromEverySurface(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let token = try await server.token().text
            let mcp = try await server.call("instainstru_nothing", ["limit": 1], token: token)
            #expect(mcp.json["error"]?["code"] == -32602)
            for path in ["webhooks/01M82TSVD8A6Q4K3DVTACBZKA2/nothing", "nothing?x=1"] {
                let rest = try await server.send(.GET, "/api/v1/admin/mcp/" + path, token: token)
                #expect(rest.status == 404)
            }
            // Neither is a call: nobody who may call asked, or the operation exists.
            for path in ["admin/mcp/nothing", "nothing"] {
                #expect(try await server.send(.GET, "/api/v1/" + path).status == 404)
                #expect(try await server.send(.GET, "/api/v1/" + path, token: "itk_no").status == 404)
            }
            let method = try await server.send(.POST, "/api/v1/admin/mcp/webhooks", token: token)
            #expect(method.status == 405)
            _ = try? await server.platform.runner.call(
                "nothing", [:], server.platform.context(.system("test"), surface: .cli))
            await server.platform.recorder.flush()
            let rows: [String] = try await server.platform.database.read { db in
                try db.values(
                    "SELECT metadata FROM audit_logs WHERE action = 'mcp.unknown' AND status = 'failed' ORDER BY id"
                )
            }
            let found = try rows.map { try JSONValue(parsing: $0) }
            #expect(
                found.map { "\($0["surface"]?.stringValue ?? "") \($0["operation"]?.stringValue ?? "")" } == [
                    "mcp instainstru_nothing", "rest GET webhooks/01M82TSVD8A6Q4K3DVTACBZKA2/nothing",
                    "rest GET nothing", "cli nothing",
                ])
        }
    }

    @Test func aGivenRequestIDIsKeptAndAStrangeOneReplaced() async throws {
        try await TestServer.run(.sqlite) { server in
            let kept = try await server.send(.GET, "/health", headers: [("X-Request-Id", "my-request-1")])
            #expect(kept.headers.first(name: "X-Request-Id") == "my-request-1")
            let replaced = try await server.send(.GET, "/health", headers: [("X-Request-Id", "<script>")])
            #expect(replaced.headers.first(name: "X-Request-Id") != "<script>")
        }
    }

    @Test func theAPIDescriptionListsEveryOperation() async throws {
        try await TestServer.run(.sqlite) { server in
            let document = try await server.send(.GET, "/openapi.json").json
            #expect(document["openapi"] == "3.1.0")
            var ids: Set<String> = []
            for (_, item) in try #require(document["paths"]?.objectValue) {
                for (_, operation) in item.objectValue ?? [:] {
                    ids.insert(operation["operationId"]?.stringValue ?? "")
                }
            }
            #expect(ids.isSuperset(of: server.platform.runner.catalog.all.map(\.name)))
        }
    }
}
