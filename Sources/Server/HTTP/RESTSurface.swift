import Foundation
import FoundationEssentials
import HTTPTypes
import Hummingbird
import JSON
import Kernel
import NIOCore

/// Every operation as a REST route below its audience's prefix.
///
/// Path parameters, query string and body are one set of arguments; an
/// `Idempotency-Key` header stands for the argument of that name.
struct RESTSurface: Sendable {
    static let operatorsPrefix = Audience.operators.pathPrefix
    static let maximumBody = 1 << 20

    let platform: Platform

    func addRoutes(to router: Routes) {
        var handlers: [String: [HTTPRequest.Method: Routes.Handler]] = [:]
        var order: [String] = []
        for operation in platform.runner.catalog.all {
            guard let method = HTTPRequest.Method(rawValue: operation.route.method.rawValue) else { continue }
            if handlers[operation.path] == nil { order.append(operation.path) }
            handlers[operation.path, default: [:]][method] = { try await call(operation, $0, $1) }
        }
        for path in order { router.on(path, handlers[path] ?? [:]) }
    }

    private func call(_ operation: OperationDescriptor, _ request: Request, _ app: AppContext) async throws
        -> Response
    {
        let caller = try await platform.caller(of: operation, request, app)
        let arguments = try await arguments(operation, request, app)
        var context = platform.context(request, app, caller, surface: .rest)
        context.ifMatch = request.headers[.ifMatch].map(EntityTag.version)
        context.ifNoneMatch = request.headers[.ifNoneMatch].map(EntityTag.version)
        context.idempotencyKey = request.headers[.idempotencyKey]
        context.credentials = platform.cookies.presented(request)
        context.credentials.isOwnPage = { platform.isOwnPage(request, session: $0) }
        let answer = try await platform.runner.call(operation.name, arguments, context)
        return response(answer, operation, context)
    }

    private func response(_ answer: Answer, _ operation: OperationDescriptor, _ context: Context) -> Response
    {
        let version = answer.attachments.version
        if let version, operation.route.method == .get, version == context.ifNoneMatch {
            return Response(status: .notModified, headers: [.eTag: EntityTag.field(version)])
        }
        var response = Response.json(answer.bytes, status: operation.creates ? .created : .ok)
        if answer.isRepeat { response.headers[.idempotencyReplayed] = "true" }
        if let version { response.headers[.eTag] = EntityTag.field(version) }
        if let standing = answer.standing { response.headers.add(standing) }
        if let change = answer.attachments.credentials {
            for cookie in platform.cookies.fields(change, platform.keys, at: context.now) {
                response.headers.append(HTTPField(name: .setCookie, value: cookie))
            }
        }
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
        let name = request.method.rawValue + " " + request.uri.path.dropFirst(Self.operatorsPrefix.count)
        _ = try await platform.runner.recordUnknown(
            name, [:], platform.context(request, app, actor, surface: .rest))
    }

    private func arguments(_ operation: OperationDescriptor, _ request: Request, _ app: AppContext)
        async throws
        -> JSONObject
    {
        var (arguments, isJSON) = try await body(operation, request)
        var problems: [Failure.Field] =
            isJSON && operation.audience != .operators ? operation.parameters.bareLists(in: arguments) : []
        func add(_ name: String, _ value: JSONValue) {
            if arguments[name] != nil { problems.append(.init(name, "is given twice")) }
            arguments[name] = value
        }
        for (name, values) in try FormEncoding.parse(request.uri.query ?? "") {
            add(name, values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) }))
        }
        for name in operation.route.parameters {
            guard let raw = app.parameters.get(name), let text = raw.removingPercentEncoding else {
                problems.append(.init(name, "is not validly percent-encoded in the path"))
                continue
            }
            add(name, .string(text))
        }
        if operation.isCommand, operation.audience == .operators, let key = request.headers[.idempotencyKey] {
            add("idempotency_key", .string(key))
        }
        guard problems.isEmpty else { throw Failure.invalid(problems) }
        return arguments
    }

    /// The body's arguments, and whether they were JSON rather than a form.
    private func body(_ operation: OperationDescriptor, _ request: Request) async throws -> (
        JSONObject, isJSON: Bool
    ) {
        let bytes = try await request.bytes(upTo: Self.maximumBody)
        guard !bytes.isEmpty else { return ([:], isJSON: false) }
        let type = (request.headers[.contentType] ?? "").lowercased()
        if operation.acceptsForm, type.hasPrefix("application/x-www-form-urlencoded") {
            var arguments: JSONObject = [:]
            for (name, values) in try FormEncoding.parse(String(decoding: bytes, as: UTF8.self)) {
                arguments[name] = values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) })
            }
            return (arguments, isJSON: false)
        }
        guard type.hasPrefix("application/json") else {
            throw HTTPRefusal(
                status: .unsupportedMediaType,
                detail: "Send the body as application/json, not '\(type.prefix(80))'.")
        }
        do {
            guard case .object(let object) = try JSONValue(parsing: bytes) else {
                throw Failure(.invalidInput, "The body must be a JSON object of arguments.")
            }
            return (object, isJSON: true)
        } catch let error as JSONError {
            throw HTTPRefusal(
                status: .badRequest,
                detail: "The body is not valid JSON: \(error.message) at byte \(error.offset).")
        }
    }
}

/// Entity tags (RFC 9110 §8.8.3): ours are strong, and quoted on the wire.
enum EntityTag {
    static func field(_ version: String) -> String { "\"\(version)\"" }

    /// The version in a field; weak tags and missing quotes are forgiven.
    static func version(_ field: String) -> String {
        var text = field.trimmingCharacters(in: .whitespaces)
        if text.hasPrefix("W/") { text.removeFirst(2) }
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
            text = String(text.dropFirst().dropLast())
        }
        return text
    }
}

extension HTTPFields {
    /// Where the caller stands with its rate limit (draft-ietf-httpapi-ratelimit-headers-03 §5).
    mutating func add(_ standing: RateLimiter.Standing) {
        self[.rateLimitLimit] = "\(standing.limit)"
        self[.rateLimitRemaining] = "\(standing.remaining)"
        self[.rateLimitReset] = "\(standing.reset > .zero ? Problem.seconds(standing.reset) : 0)"
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

/// `application/x-www-form-urlencoded`, in a URL or a body (WHATWG URL §5.1).
enum FormEncoding {
    /// Names with their values in order of first appearance.
    static func parse(_ text: String) throws -> [(name: String, values: [String])] {
        var result: [(name: String, values: [String])] = []
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = parts.count > 1 ? decode(parts[1]) : "" else {
                throw HTTPRefusal(
                    status: .badRequest, detail: "The form or query is not validly percent-encoded UTF-8.")
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
