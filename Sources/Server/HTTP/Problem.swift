import HTTPTypes
import Hummingbird
import JSON
import Kernel
import NIOCore

/// An RFC 9457 problem document: what went wrong, and what to do next.
enum Problem {
    static func response(_ failure: Failure, requestID: String, path: String) -> Response {
        var body: JSONObject = [
            "type": "about:blank", "title": .string(title(failure.code)), "status": .int(failure.httpStatus),
            "detail": .string(failure.message), "instance": .string(path),
            "code": .string(failure.reason ?? failure.code.rawValue), "request_id": .string(requestID),
        ]
        if let hint = failure.hint { body["hint"] = .string(hint) }
        if !failure.fields.isEmpty {
            body["errors"] = .array(
                failure.fields.map { .object(["field": .string($0.name), "message": .string($0.problem)]) })
        }
        for (name, value) in failure.details where body[name] == nil { body[name] = value }
        var response = Response.json(
            JSONValue.object(body).encoded(), status: .init(code: failure.httpStatus),
            type: "application/problem+json")
        if let wait = failure.retryAfter { response.headers[.retryAfter] = String(seconds(wait)) }
        if failure.code == .unauthenticated || failure.code == .forbidden {
            response.headers[.wwwAuthenticate] = challenge(failure)
        }
        return response
    }

    /// A status of HTTP itself: no such path, wrong method, body too large.
    static func response(status: HTTPResponse.Status, detail: String, requestID: String, path: String)
        -> Response
    {
        let body: JSONObject = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .int(status.code),
            "detail": .string(detail), "instance": .string(path), "request_id": .string(requestID),
        ]
        return .json(JSONValue.object(body).encoded(), status: status, type: "application/problem+json")
    }

    static func challenge(_ failure: Failure) -> String {
        let error =
            failure.code == .forbidden
            ? "insufficient_scope" : failure.reason == "missing_token" ? nil : "invalid_token"
        var parts: [String] = []
        if let error { parts.append("error=\"\(error)\"") }
        if !failure.requiredScopes.isEmpty {
            parts.append("scope=\"\(failure.requiredScopes.map(\.rawValue).joined(separator: " "))\"")
        }
        return parts.isEmpty ? "Bearer" : "Bearer " + parts.joined(separator: ", ")
    }

    static func seconds(_ wait: Duration) -> Int {
        max(1, Int(wait.components.seconds) + (wait.components.attoseconds > 0 ? 1 : 0))
    }

    private static func title(_ code: Failure.Code) -> String {
        switch code {
        case .invalidInput: "Invalid input"
        case .unauthenticated: "Not authenticated"
        case .forbidden: "Not allowed"
        case .notFound: "Not found"
        case .conflict: "Conflict"
        case .preconditionRequired: "Something is required first"
        case .rateLimited: "Too many calls"
        case .unavailable: "Unavailable"
        case .internal: "Internal error"
        }
    }
}

extension Response {
    static func json(
        _ bytes: [UInt8], status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// A refusal of HTTP itself, thrown by a handler and answered by the edge.
struct HTTPRefusal: Error {
    var status: HTTPResponse.Status
    var detail: String
}
