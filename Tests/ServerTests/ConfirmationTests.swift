import Features
import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// Asking the person before something changes, over MCP.
@Suite struct MCPConfirmationTests {
    /// A failed event whose replay succeeds: its payment arrived meanwhile.
    private static func failedEvent(_ server: TestServer) async throws -> String {
        let body = Array(
            (#"{"id":"evt_9","object":"event","type":"payment_intent.succeeded","created":1764000000,"#
                + #""data":{"object":{"id":"pi_9","status":"succeeded"}}}"#).utf8)
        let signature = StripeSignature.sign(
            body: body, secret: TestServer.stripeSecret, seconds: Instant.now().microseconds / 1_000_000)
        let answer = try await server.send(
            .POST, "/api/v1/payments/webhooks/stripe", headers: [("Stripe-Signature", signature)], body: body)
        let id = try #require(answer.json["webhook_id"]?.stringValue)
        try await server.eventually("it is found to match nothing") {
            let status: String? = try await server.platform.database.read {
                try $0.value("SELECT status FROM webhook_events WHERE id = \(id)")
            }
            return status == "unmatched"
        }
        let context = server.platform.context(.system("test"), surface: .cli)
        try await server.platform.database.write { tx in
            let booking = context.newID()
            try tx.run(
                """
                INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at)
                VALUES (\(booking), \(context.newID()), \(context.newID()), 'PENDING', 1, 1)
                """)
            try tx.run(
                """
                INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, status, status_at, \
                created_at, updated_at) VALUES (\(context.newID()), \(booking), 'pi_9', 5000, 'requires_capture', \
                1, 1, 1)
                """)
        }
        return id
    }

    private static func bookingStatus(_ server: TestServer) async throws -> String? {
        try await server.platform.database.read { try $0.value("SELECT status FROM bookings") }
    }

    @Test(arguments: TestDatabase.available)
    func withoutElicitationAPreviewAndATokenAreGiven(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let token = try await server.token().text
            let id = try await Self.failedEvent(server)
            var arguments: JSONObject = [
                "event_id": .string(id), "dry_run": false, "reason": "the payment is here now",
            ]
            let preview = try await server.call("instainstru_webhook_replay", arguments, token: token).json[
                "result"]
            let content = try #require(preview?["structuredContent"])
            #expect(content["note"] == "confirmation_required")
            #expect(content["result"] == .null)
            #expect(content["effects"]?.arrayValue?.contains { $0["action"] == "payment.capture" } == true)
            #expect(try await Self.bookingStatus(server) == "PENDING")
            arguments["confirm_token"] = content["confirmation"]?["confirm_token"]
            let done = try await server.call("instainstru_webhook_replay", arguments, token: token).json[
                "result"]
            #expect(done?["structuredContent"]?["result"]?["status"] == "replayed")
            #expect(try await Self.bookingStatus(server) == "CONFIRMED")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aClientWithElicitationAsksThePersonAndTheirYesIsBoundToTheCall(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let token = try await server.token().text
            let id = try await Self.failedEvent(server)
            let tool = "instainstru_webhook_replay"
            let arguments: JSONObject = ["event_id": .string(id), "dry_run": false]
            let elicitation: JSONObject = ["elicitation": [:]]
            let asked = try await server.call(tool, arguments, token: token, capabilities: elicitation).json[
                "result"]
            #expect(asked?["resultType"] == "input_required")
            let state = try #require(asked?["requestState"])
            let question = try #require(
                asked?["inputRequests"]?["confirm"]?["params"]?["message"]?.stringValue)
            #expect(question.contains("payment.capture"))

            func answer(_ action: String, _ arguments: JSONObject, _ state: JSONValue) async throws
                -> JSONValue
            {
                try await server.mcp(
                    "tools/call",
                    [
                        "name": .string(tool), "arguments": .object(arguments), "requestState": state,
                        "inputResponses": [
                            "confirm": ["action": .string(action), "content": ["confirm": true]]
                        ],
                    ], name: tool, token: token, capabilities: elicitation
                ).json
            }
            let declined = try await answer("decline", arguments, state)
            #expect(declined["result"]?["isError"] == true)
            #expect(try await Self.bookingStatus(server) == "PENDING")

            let other: JSONObject = ["event_id": "01M82TSVD8A6Q4K3DVTACBZKA2", "dry_run": false]
            #expect(try await answer("accept", other, state)["error"] != nil)

            let accepted = try await answer("accept", arguments, state)
            #expect(accepted["result"]?["structuredContent"]?["result"]?["status"] == "replayed")
            #expect(try await Self.bookingStatus(server) == "CONFIRMED")
            try await server.eventually("the refusal is on record") {
                try await server.auditEntries("mcp.webhooks.replay", status: "denied") == 1
            }
        }
    }
}
