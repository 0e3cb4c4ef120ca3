import Foundation
import FoundationEssentials
import HTTPTypes
import Hummingbird
import JSON
import Kernel
import NIOCore

/// Every operation as a REST route under `/api/v1/admin/mcp/`.
///
/// Path parameters, query string and JSON body are one set of arguments; an
/// `Idempotency-Key` header stands for the argument of that name.
struct RESTSurface: Sendable {
    static let prefix = "/api/v1/admin/mcp/"
    static let maximumBody = 1 << 20

    let platform: Platform

    func addRoutes(to router: Routes) {
        for operation in platform.runner.catalog.all {
            let method: HTTPRequest.Method = operation.route.method == .get ? .get : .post
            router.on(Self.prefix + operation.route.path, [method: { try await call(operation, $0, $1) }])
        }
    }

    private func call(_ operation: OperationDescriptor, _ request: Request, _ app: AppContext) async throws
        -> Response
    {
        let actor = try await platform.authenticate(request, app, surface: .rest, operation: operation.name)
        let arguments = try await arguments(operation, request, app)
        let context = platform.context(request, app, actor, surface: .rest)
        let answer = try await platform.runner.call(operation.name, arguments, context)
        var response = Response.json(answer.bytes)
        if answer.isRepeat { response.headers[.idempotencyReplayed] = "true" }
        return response
    }

    /// Somebody with a token asked for a route that is none of ours: on record as such.
    func recordUnknown(_ request: Request, _ app: AppContext) async throws {
        let now = platform.environment.now()
        let header = request.headers[.authorization]
        // Without a token it is any stranger's wrong path, not a call.
        guard let actor = try? await platform.authenticator.actor(authorization: header, at: now) else {
            return
        }
        let name = request.method.rawValue + " " + request.uri.path.dropFirst(Self.prefix.count)
        _ = try await platform.runner.recordUnknown(
            name, [:], platform.context(request, app, actor, surface: .rest))
    }

    private func arguments(_ operation: OperationDescriptor, _ request: Request, _ app: AppContext)
        async throws
        -> JSONObject
    {
        var arguments = try await body(request)
        var problems: [Failure.Field] = []
        func add(_ name: String, _ value: JSONValue) {
            if arguments[name] != nil { problems.append(.init(name, "is given twice")) }
            arguments[name] = value
        }
        for (name, values) in try QueryString.parse(request.uri.query ?? "") {
            add(name, values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) }))
        }
        for name in operation.route.parameters {
            guard let raw = app.parameters.get(name), let text = raw.removingPercentEncoding else {
                problems.append(.init(name, "is not validly percent-encoded in the path"))
                continue
            }
            add(name, .string(text))
        }
        if operation.isCommand, let key = request.headers[.idempotencyKey] {
            add("idempotency_key", .string(key))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        return arguments
    }

    private func body(_ request: Request) async throws -> JSONObject {
        let bytes = try await request.bytes(upTo: Self.maximumBody)
        guard !bytes.isEmpty else { return [:] }
        let type = request.headers[.contentType] ?? ""
        guard type.lowercased().hasPrefix("application/json") else {
            throw HTTPRefusal(
                status: .unsupportedMediaType,
                detail: "Send the body as application/json, not '\(type.prefix(80))'.")
        }
        do {
            guard case .object(let object) = try JSONValue(parsing: bytes) else {
                throw Failure(.invalidInput, "The body must be a JSON object of arguments.")
            }
            return object
        } catch let error as JSONError {
            throw HTTPRefusal(
                status: .badRequest,
                detail: "The body is not valid JSON: \(error.message) at byte \(error.offset).")
        }
    }
}

extension HTTPField.Name {
    static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed") ?? .contentType
}

extension Platform {
    /// The actor of a request, or a refusal that is on record as `denied`.
    func authenticate(_ request: Request, _ app: AppContext, surface: Surface, operation: String?)
        async throws -> Actor
    {
        do {
            return try await authenticator.actor(
                authorization: request.headers[.authorization], at: environment.now())
        } catch let failure as Failure where failure.code == .unauthenticated {
            try await runner.recordDenied(
                failure, operation: operation, [:], context(request, app, .anonymous, surface: surface))
            throw failure
        }
    }
}

extension Request {
    /// The whole body; too large is 413 with the limit named.
    func bytes(upTo limit: Int) async throws -> [UInt8] {
        var request = self
        do {
            let buffer = try await request.collectBody(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw HTTPRefusal(status: .contentTooLarge, detail: "The body may have at most \(limit) bytes.")
        }
    }
}

/// `application/x-www-form-urlencoded` in a URL (WHATWG URL §5.1).
enum QueryString {
    /// Names with their values in order of first appearance.
    static func parse(_ query: String) throws -> [(name: String, values: [String])] {
        var result: [(name: String, values: [String])] = []
        for pair in query.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = parts.count > 1 ? decode(parts[1]) : "" else {
                throw HTTPRefusal(
                    status: .badRequest, detail: "The query string is not validly percent-encoded UTF-8.")
            }
            if let index = result.firstIndex(where: { $0.name == name }) {
                result[index].values.append(value)
            } else {
                result.append((name, [value]))
            }
        }
        return result
    }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
