import FoundationEssentials
import JSON
import Kernel
import Synchronization

/// A Flower that answers with what a real Flower 2.0.1 over Celery 5.6.2 answered, or as told.
///
/// The recording: one worker; `shop.slow` running; a success, a failure, a
/// retry; then the worker killed and four messages sent.
final class FakeFlower: Sendable {
    static let recording: JSONValue = {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/flower.json")
        let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        return (try? JSONValue(parsing: text)) ?? .null
    }()

    enum Answer: Sendable {
        case json(JSONValue)
        case text(Int, String)
        case problem(Clients.HTTPProblem)
    }

    typealias Script = @Sendable (_ path: String, _ query: [String: String]) -> Answer?

    private let script: Script
    private let seen = Mutex<[Clients.HTTPRequest]>([])

    /// - Parameter script: answers instead of the recording where it answers at all.
    init(_ script: @escaping Script = { _, _ in nil }) { self.script = script }

    /// What was asked, in order.
    var requests: [Clients.HTTPRequest] { seen.withLock { $0 } }

    var clients: Clients {
        Clients(send: { request in
            self.seen.withLock { $0.append(request) }
            let (path, query) = Self.parts(request.url)
            switch self.script(path, query) ?? Self.recorded(path, query) {
            case .json(let value): return .init(status: 200, body: Array(value.text.utf8))
            case .text(let status, let text): return .init(status: status, body: Array(text.utf8))
            case .problem(let problem): throw problem
            }
        })
    }

    static func recorded(_ path: String, _ query: [String: String]) -> Answer {
        func member(_ name: String) -> JSONValue { recording[name] ?? .null }
        switch path {
        case "/api/workers" where query["status"] != nil: return .json(member("status"))
        case "/api/workers" where query["refresh"] != nil: return .json(member("workers"))
        case "/api/workers": return .json(member("workers_before"))
        case "/api/queues/length": return .json(member("queues"))
        case "/api/tasks": return .json(.object(tasks(query)))
        case "/metrics": return .text(200, member("metrics").stringValue ?? "")
        default: return .text(404, "")
        }
    }

    /// Filters, sorts and cuts as Flower does.
    static func tasks(_ query: [String: String]) -> JSONObject {
        var found = recording["tasks"]?.objectValue.map(Array.init) ?? []
        if let name = query["taskname"] { found.removeAll { $0.value["name"]?.stringValue != name } }
        if let state = query["state"] { found.removeAll { $0.value["state"]?.stringValue != state } }
        if let key = query["sort_by"]?.drop(while: { $0 == "-" }) {
            found.sort {
                ($0.value[String(key)]?.doubleValue ?? 0) > ($1.value[String(key)]?.doubleValue ?? 0)
            }
        }
        return JSONObject(found.prefix(query["limit"].flatMap(Int.init) ?? .max).map { ($0.key, $0.value) })
    }

    private static func parts(_ url: String) -> (String, [String: String]) {
        let afterHost = url.dropFirst("http://flower:5555".count)
        let halves = afterHost.split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in halves.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(sides[0])] = String(sides[1])
        }
        return (String(halves.first ?? ""), query)
    }
}
