import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// Who may do what, on every surface, and that refusals are on record.
@Suite struct AccessTests {
    @Test(arguments: TestDatabase.available)
    func aMissingOrWrongTokenIs401WithAChallengeAndAnEntry(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            for token in [nil, "nonsense", "itk_01M82TSVD8A6Q4K3DVTACBZKA2_wrong", "itk_é"] {
                let rest = try await server.send(.GET, "/api/v1/admin/mcp/webhooks", token: token)
                let mcp = try await server.mcp("tools/list", token: token)
                for answer in [rest, mcp] {
                    #expect(answer.status == 401)
                    let challenge = answer.headers.first(name: "WWW-Authenticate") ?? ""
                    #expect(challenge.hasPrefix("Bearer"))
                    #expect(challenge.contains("invalid_token") == (token != nil))
                }
            }
            try await server.eventually("the refusals are recorded") {
                try await server.auditEntries("mcp.webhooks", status: "denied") == 4
            }
            try await server.eventually("those over MCP too") {
                try await server.auditEntries("mcp.unknown", status: "denied") == 4
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func anExpiredTokenAndARevokedOneAreRefusedByName(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let short = try await server.token(lifetime: .milliseconds(1))
            let expired = try await server.send(.GET, "/api/v1/admin/mcp/webhooks", token: short.text)
            #expect(expired.status == 401)
            #expect(expired.json["code"] == "token_expired")

            let (token, id) = try await server.token()
            #expect(try await server.send(.GET, "/api/v1/admin/mcp/webhooks", token: token).status == 200)
            let context = server.platform.context(.system("test"), surface: .cli)
            try await server.platform.database.transaction(context, category: .admin) { tx, _ in
                try ServiceToken.revoke(id, tx, context)
            }
            try await server.eventually("the revocation takes effect") {
                let answer = try await server.send(.GET, "/api/v1/admin/mcp/webhooks", token: token)
                return answer.status == 401 && answer.json["code"] == "token_revoked"
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReadTokenMayNotWriteOnAnySurface(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let token = try await server.token([.read]).text
            let id = "01M82TSVD8A6Q4K3DVTACBZKA2"
            let rest = try await server.send(.POST, "/api/v1/admin/mcp/webhooks/\(id)/replay", token: token)
            let mcp = try await server.call(
                "instainstru_webhook_replay", ["event_id": .string(id)], token: token)
            for answer in [rest, mcp] {
                #expect(answer.status == 403)
                let challenge = answer.headers.first(name: "WWW-Authenticate") ?? ""
                #expect(challenge.contains("insufficient_scope"))
                #expect(challenge.contains("mcp:write"))
            }
            try await server.eventually("both refusals are recorded") {
                try await server.auditEntries("mcp.webhooks.replay", status: "denied") == 2
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func theEntryOfACallNamesTheTokenItsOwnerAndTheClient(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let (token, id) = try await server.token()
            let answer = try await server.call("instainstru_webhooks_list", token: token)
            #expect(answer.status == 200)
            try await server.eventually("the call is recorded") {
                try await server.auditEntries("mcp.webhooks", status: "success") == 1
            }
            let row = try await server.platform.database.read { db in
                try db.rows(
                    "SELECT actor_id, actor_email, metadata, actor_ip FROM audit_logs WHERE action = 'mcp.webhooks'"
                ).first
            }
            let entry = try #require(row)
            let metadata = try JSONValue(parsing: entry.get(at: 2, as: String.self))
            #expect(try entry.get(at: 0, as: String.self) == id.description)
            #expect(try entry.get(at: 1, as: String.self) == "ada@example.com")
            #expect(metadata["actor"] == "test")
            #expect(metadata["client"]?["name"] == "server-tests")
            #expect(metadata["surface"] == "mcp")
            #expect(try entry.get(at: 3, as: String.self) == "127.0.0.1")
        }
    }

    @Test func aForwardedAddressIsBelievedOnlyFromATrustedProxy() async throws {
        for (trusted, expected) in [([], "127.0.0.1"), (["127.0.0.1"], "203.0.113.9")] as [([String], String)]
        {
            try await TestServer.run(.sqlite) {
                $0.trustedProxies = trusted
            } _: { server in
                let token = try await server.token().text
                _ = try await server.send(
                    .GET, "/api/v1/admin/mcp/webhooks", token: token,
                    headers: [("X-Forwarded-For", "6.6.6.6, 203.0.113.9")])
                try await server.eventually("the call is recorded") {
                    try await server.auditEntries("mcp.webhooks", status: "success") == 1
                }
                let ip: String? = try await server.platform.database.read {
                    try $0.value("SELECT actor_ip FROM audit_logs WHERE action = 'mcp.webhooks'")
                }
                #expect(ip == expected)
            }
        }
    }
}
