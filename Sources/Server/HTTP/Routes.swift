import HTTPTypes
import Hummingbird

/// Collects routes, and knows what a path would have answered: any other
/// method of a known path gets 405 with `Allow` (RFC 9110 §15.5.6).
final class Routes {
    typealias Handler = @Sendable (Request, AppContext) async throws -> Response

    let router = Router(context: AppContext.self)
    private(set) var paths = KnownPaths()

    func on(_ path: String, _ handlers: [HTTPRequest.Method: Handler]) {
        for (method, handler) in handlers {
            router.on(RouterPath(path), method: method, use: handler)
            if method == .get { router.on(RouterPath(path), method: .head, use: handler) }
        }
        paths.add(path, Array(handlers.keys))
    }
}

/// The paths that exist, with the methods that each of them answers.
struct KnownPaths: Sendable {
    private var patterns: [(segments: [Substring], allow: String)] = []

    mutating func add(_ path: String, _ methods: [HTTPRequest.Method]) {
        let names = methods.map(\.rawValue) + (methods.contains(.get) ? ["HEAD"] : [])
        patterns.append((path.split(separator: "/"), Set(names).sorted().joined(separator: ", ")))
    }

    /// The value of `Allow` for a path, or nil when there is nothing there.
    func allow(_ path: String) -> String? {
        let segments = path.split(separator: "/")
        return patterns.first { pattern in
            pattern.segments.count == segments.count
                && zip(pattern.segments, segments).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
        }?.allow
    }
}
