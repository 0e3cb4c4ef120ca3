import HTTPTypes
import Hummingbird

/// Collects routes; a known path answers any other method with 405 and `Allow`.
final class Routes {
    typealias Handler = @Sendable (Request, AppContext) async throws -> Response

    let router = Router(context: AppContext.self)
    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace,
    ]

    func on(_ path: String, _ handlers: [HTTPRequest.Method: Handler]) {
        let allowed = handlers.keys.map(\.rawValue) + (handlers[.get] == nil ? [] : ["HEAD"])
        let allow = Set(allowed).sorted().joined(separator: ", ")
        for method in Self.methods {
            let handler = handlers[method] ?? (method == .head ? handlers[.get] : nil)
            router.on(RouterPath(path), method: method) { request, context in
                if let handler { return try await handler(request, context) }
                var response = Problem.response(
                    status: .methodNotAllowed, detail: "This path answers \(allow).",
                    requestID: context.requestID,
                    path: request.uri.path)
                response.headers[.allow] = allow
                return response
            }
        }
    }
}
