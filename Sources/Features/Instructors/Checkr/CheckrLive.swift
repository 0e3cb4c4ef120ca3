import JSON
import Kernel
import Storage

/// Checkr's API over HTTP (docs.checkr.com; integrations specification §f).
///
/// Basic authentication with the API key as the user and no password. A POST with
/// an `Idempotency-Key` that was used before answers as it did the first time.
struct CheckrLive: Sendable {
    /// Below the time of a job, with room for several calls.
    static let patience = Duration.seconds(10)
    static let maximumBytes = 1 << 20
    /// When a rate is used up and Checkr does not say for how long.
    static let pause = Duration.seconds(60)

    let base: String
    let apiKey: String
    let clients: Clients

    var port: Checkr {
        Checkr(
            createCandidate: { try await create("candidates", Self.body($0), $1) },
            findCandidate: { id in
                try await list("candidates?custom_id=\(escaped(id))") { $0.first?["id"]?.stringValue }
            },
            invite: { candidate, package, place, key in
                let body: JSONObject = [
                    "candidate_id": .string(candidate), "package": .string(package),
                    "work_locations": Self.locations(place),
                ]
                return try await create("invitations", body, key)
            },
            findInvitation: { candidate, since in
                try await list("invitations?candidate_id=\(escaped(candidate))") { rows in
                    let made = rows.compactMap { row -> (Instant, String)? in
                        guard let time = row["created_at"]?.stringValue.flatMap({ Instant(parsing: $0) }),
                            let id = row["id"]?.stringValue, time >= since
                        else { return nil }
                        return (time, id)
                    }
                    return made.max { $0 < $1 }?.1
                }
            },
            report: { id in
                guard Self.isID(id) else { return .refused(.other) }
                return try await ask(request(.get, "reports/\(id)"))
            })
    }

    private static func body(_ candidate: Checkr.Candidate) -> JSONObject {
        [
            "custom_id": .string(candidate.customID), "email": .string(candidate.email),
            "first_name": .string(candidate.firstName), "last_name": .string(candidate.lastName),
            "work_locations": locations(candidate.place),
        ]
    }

    private static func locations(_ place: Checkr.WorkLocation) -> JSONValue {
        var location: JSONObject = ["country": "US", "state": .string(place.state)]
        if let city = place.city { location["city"] = .string(city) }
        return [.object(location)]
    }

    private func create(_ path: String, _ body: JSONObject, _ key: String) async throws -> CheckrOutcome<
        String
    > {
        let answer = try await ask(request(.post, path, JSONValue.object(body).encoded(), key))
        return Self.map(answer) { body in
            guard let id = body["id"]?.stringValue, Self.isID(id) else {
                return .unknown("checkr: an answer without an id")
            }
            return .done(id)
        }
    }

    private func list(_ path: String, _ pick: ([JSONValue]) -> String?) async throws -> CheckrOutcome<String?>
    {
        Self.map(try await ask(request(.get, path))) { .done(pick($0["data"]?.arrayValue ?? [])) }
    }

    private static func map<Value>(
        _ outcome: CheckrOutcome<JSONValue>, _ body: (JSONValue) -> CheckrOutcome<Value>
    ) -> CheckrOutcome<Value> {
        switch outcome {
        case .done(let value): body(value)
        case .refused(let problem): .refused(problem)
        case .busy(let wait): .busy(wait)
        case .unknown(let reason): .unknown(reason)
        }
    }

    private func request(
        _ method: Clients.HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], _ key: String? = nil
    ) -> Clients.HTTPRequest {
        var headers = [
            ("Authorization", BasicCredentials(user: apiKey, password: "").header),
            ("Accept", "application/json"),
            ("User-Agent", "instainstru"),
        ]
        if !body.isEmpty { headers.append(("Content-Type", "application/json")) }
        if let key { headers.append(("Idempotency-Key", key)) }
        return Clients.HTTPRequest(
            method, "\(base)/\(path)", headers: headers, body: body, timeout: Self.patience,
            maximumBytes: Self.maximumBytes)
    }

    private func ask(_ request: Clients.HTTPRequest) async throws -> CheckrOutcome<JSONValue> {
        let answer: Clients.HTTPAnswer
        do { answer = try await clients.send(request) } catch let problem as Clients.HTTPProblem {
            return problem == .invalidURL ? .refused(.other) : .unknown("checkr: \(problem)")
        }
        return Self.outcome(answer)
    }

    /// Upstream text decides and goes no further.
    static func outcome(_ answer: Clients.HTTPAnswer) -> CheckrOutcome<JSONValue> {
        switch answer.status {
        case 200...299:
            guard let body = try? JSONValue(parsing: answer.body) else {
                return .unknown("checkr: \(answer.status) without a body")
            }
            return .done(body)
        case 401, 403: return .refused(.authentication)
        case 429: return .busy(wait(answer))
        // 409 is a call with the same key that is still being worked on.
        case 408, 409, 425, 500...: return .unknown("checkr: \(answer.status)")
        default:
            let text = String(decoding: answer.body, as: UTF8.self).lowercased()
            if text.contains("work_location") || text.contains("work location") {
                return .refused(.workLocation)
            }
            if text.contains("package") { return .refused(.noPackage) }
            return .refused(.other)
        }
    }

    /// `Retry-After` in whole seconds, within reason.
    private static func wait(_ answer: Clients.HTTPAnswer) -> Duration {
        guard let seconds = answer.header("Retry-After").flatMap(Int.init) else { return pause }
        return .seconds(min(max(seconds, 1), 3_600))
    }

    /// Letters, digits, `-` and `_`: what can be stored, shown and put into a path.
    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
    }

    /// Ids of ours and Checkr's need no escapes; anything else finds nothing.
    private func escaped(_ id: String) -> String { Self.isID(id) ? id : "-" }
}
