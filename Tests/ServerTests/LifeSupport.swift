import Features
import Glibc
import JSON
import Kernel
import NIOHTTP1
import Storage
import TestSupport
import Testing

/// A port of loopback that nothing listens on.
enum FreePort {
    static func find() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard result else { throw Failure(.unavailable, "no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// What a person's program sends.
extension TestServer {
    func call(_ method: HTTPMethod, _ path: String, _ body: JSONObject?, _ token: String?) async throws
        -> Answer
    {
        try await send(
            method, "/api/v1/" + path, token: token,
            headers: body == nil ? [] : [("Content-Type", "application/json")],
            body: body.map { JSONValue.object($0).encoded() })
    }

    /// The answer of a call that succeeds with this status.
    @discardableResult
    func json(
        _ method: HTTPMethod, _ path: String, _ body: JSONObject?, _ token: String?, status: Int = 200
    ) async throws -> JSONValue {
        let answer = try await call(method, path, body, token)
        guard answer.status == status else {
            throw Failure(
                .conflict, "\(method) \(path) answered \(answer.status), not \(status): \(answer.json.text)")
        }
        return answer.json
    }

    func form(_ path: String, _ body: String) async throws -> JSONValue {
        try await send(
            .POST, path, headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8)
        ).json
    }

    /// Delivers a Stripe event, signed.
    func stripe(_ type: String, _ object: JSONObject) async throws {
        let now = Instant.now().microseconds / 1_000_000
        let event: JSONValue = [
            "id": .string("evt_\(type)"), "object": "event", "type": .string(type), "created": .int(Int(now)),
            "data": ["object": .object(object)],
        ]
        let body = event.encoded()
        let signature = StripeSignature.sign(body: body, secret: Self.stripeSecret, seconds: now)
        let answer = try await send(
            .POST, "/api/v1/payments/webhooks/stripe",
            headers: [("Stripe-Signature", signature), ("Content-Type", "application/json")], body: body)
        #expect(answer.status == 200)
    }
}

/// RFC 4648 §6, the way back.
enum Base32Text {
    static func bytes(_ text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var (buffer, bits): (UInt64, Int) = (0, 0)
        var bytes: [UInt8] = []
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            (buffer, bits) = (buffer << 5 | UInt64(value), bits + 5)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt64(bits)))
            }
        }
        return bytes
    }
}

/// Everything that a database holds, as text.
enum DatabaseText {
    /// `table.column: word` for every text cell that holds one of the words, whatever its case.
    static func search(_ database: any Database, for words: [String]) async throws -> [String] {
        try await database.read { db in
            let columns: SQL =
                switch db.dialect {
                case .sqlite:
                    """
                    SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
                    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2
                    """
                case .postgres:
                    """
                    SELECT table_name::text, column_name::text FROM information_schema.columns
                    WHERE table_schema = current_schema() ORDER BY 1, 2
                    """
                }
            var found: [String] = []
            var count = 0
            for row in try db.rows(columns) {
                let (table, column): (String, String) = (try row.get(at: 0), try row.get(at: 1))
                count += 1
                for word in words {
                    let pattern = "%\(word.lowercased())%"
                    let hits: Int? = try db.value(
                        """
                        SELECT COUNT(*) FROM \(identifier: table)
                        WHERE lower(CAST(\(identifier: column) AS TEXT)) LIKE \(pattern)
                        """)
                    if hits ?? 0 > 0 { found.append("\(table).\(column): \(word)") }
                }
            }
            #expect(count > 300, "the database's own description was not found")
            return found
        }
    }
}
