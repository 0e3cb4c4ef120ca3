import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization

/// Checkr as it answers, strict about credentials and bodies, with the troubles
/// that a test gives it.
final class FakeCheckr: Sendable {
    /// What happens to a call instead of its answer.
    enum Trouble: Sendable {
        case answer(Int, String, [(name: String, value: String)] = [])
        /// It never arrives.
        case lost
        /// It arrives and takes effect, and its answer does not come back.
        case deaf
    }

    private struct State {
        var requests: [Clients.HTTPRequest] = []
        var troubles: [Trouble?] = []
        var reports: [String: JSONValue] = [:]
        var made: [(path: String, key: String, body: JSONValue, id: String)] = []
    }

    private let state = Mutex(State())

    /// `METHOD path` of every call, in order.
    var calls: [String] {
        state.withLock(\.requests).map {
            "\($0.method.rawValue) "
                + $0.url.replacing("https://api.checkr.com/v1/", with: "")
                .prefix { $0 != "?" }
        }
    }
    var keys: [String] { state.withLock(\.requests).compactMap { Self.header("Idempotency-Key", $0) } }
    /// How many of each were made.
    func made(_ path: String) -> Int { state.withLock { $0.made.count { $0.path == path } } }

    /// The troubles of the next calls, in order; nil is none.
    func trouble(_ troubles: Trouble?...) { state.withLock { $0.troubles = troubles } }

    /// A report that can be asked for.
    func add(report id: String, _ body: JSONValue) { state.withLock { $0.reports[id] = body } }

    var clients: Clients {
        Clients(send: { request in
            let trouble = self.state.withLock { state -> Trouble? in
                state.requests.append(request)
                return state.troubles.isEmpty ? nil : state.troubles.removeFirst()
            }
            switch trouble {
            case .answer(let status, let body, let headers):
                return .init(status: status, headers: headers, body: Array(body.utf8))
            case .lost: throw Clients.HTTPProblem.unreachable
            case .deaf:
                _ = self.take(request)
                throw Clients.HTTPProblem.timedOut
            case nil: return self.take(request)
            }
        })
    }

    private func take(_ request: Clients.HTTPRequest) -> Clients.HTTPAnswer {
        let login = BasicCredentials(user: TestPlatform.checkrKey, password: "").header
        guard Self.header("Authorization", request) == login else { return .init(status: 401, body: []) }
        let path = String(
            request.url.replacing("https://api.checkr.com/v1/", with: "").prefix { $0 != "?" })
        return state.withLock { state in
            guard request.method == .post else { return Self.list(path, request.url, state) }
            guard Self.header("Content-Type", request) == "application/json",
                let key = Self.header("Idempotency-Key", request),
                let body = try? JSONValue(parsing: request.body),
                body["work_locations"]?[0]?["country"] == "US"
            else { return .init(status: 422, body: Array(#"{"error":"work_locations are invalid"}"#.utf8)) }
            let known = state.made.first { $0.path == path && $0.key == key }
            let id = known?.id ?? "\(path.prefix(3))_\(state.made.count)"
            if known == nil { state.made.append((path, key, body, id)) }
            return .init(status: 201, body: Array(#"{"id":"\#(id)"}"#.utf8))
        }
    }

    private static func list(_ path: String, _ url: String, _ state: State) -> Clients.HTTPAnswer {
        if let report = state.reports[String(path.dropFirst("reports/".count))] {
            return .init(status: 200, body: report.encoded())
        }
        let query = url.split(separator: "?").last?.split(separator: "=").map(String.init) ?? []
        let found = state.made.filter {
            $0.path == path && $0.body[query.first ?? ""]?.stringValue == query.last
        }
        let rows: [JSONValue] = found.map {
            ["id": .string($0.id), "created_at": .string(TestClock.start.description)]
        }
        let body: JSONValue = ["object": "list", "data": .array(rows)]
        return .init(status: 200, body: body.encoded())
    }

    private static func header(_ name: String, _ request: Clients.HTTPRequest) -> String? {
        request.headers.first { $0.0 == name }?.1
    }
}
