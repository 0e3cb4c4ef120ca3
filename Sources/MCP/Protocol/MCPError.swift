package import JSON

/// A JSON-RPC error: the request could not be processed as a matter of protocol.
///
/// A tool that ran and failed is not one; it returns a ``ToolResult`` with
/// `isError`. `message` is shown to the client and must hold no secret.
package struct MCPError: Error, Sendable, Hashable {
    package var code: Int
    package var message: String
    package var data: JSONValue?

    /// An error with a code of the caller's own; see the constants for standard ones.
    package init(code: Int, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    package static let parseErrorCode = -32700
    package static let invalidRequestCode = -32600
    package static let methodNotFoundCode = -32601
    package static let invalidParamsCode = -32602
    package static let internalErrorCode = -32603
    /// Legacy only; 2026-07-28 forbids it.
    package static let legacyResourceNotFoundCode = -32002
    package static let headerMismatchCode = -32020
    package static let missingCapabilityCode = -32021
    package static let unsupportedVersionCode = -32022
    /// Ours, outside the range JSON-RPC reserves: the caller may not do this.
    package static let forbiddenCode = 403

    package static func parseError(_ problem: JSONError) -> MCPError {
        MCPError(code: parseErrorCode, "The body is not valid JSON: \(problem)")
    }

    package static func invalidRequest(_ message: String) -> MCPError {
        MCPError(code: invalidRequestCode, message)
    }

    package static func methodNotFound(_ method: String) -> MCPError {
        MCPError(code: methodNotFoundCode, "Method not found", data: ["method": .string(method)])
    }

    package static func invalidParams(_ message: String, data: JSONValue? = nil) -> MCPError {
        MCPError(code: invalidParamsCode, message, data: data)
    }

    /// The text is the host's (an incident number); never the cause.
    package static func internalError(_ text: String) -> MCPError {
        MCPError(code: internalErrorCode, text)
    }

    /// No such resource; the code differs between eras and is chosen on encoding.
    package static func resourceNotFound(_ uri: String) -> MCPError {
        MCPError(code: legacyResourceNotFoundCode, "Resource not found", data: ["uri": .string(uri)])
    }

    /// A header is absent, doubled, malformed or contradicts the body (2026-07-28, Request Metadata).
    package static func headerMismatch(_ message: String) -> MCPError {
        MCPError(code: headerMismatchCode, message)
    }

    /// The request needs something the client did not declare, as a
    /// ClientCapabilities object such as `{"sampling":{}}`.
    package static func missingCapability(_ required: JSONObject) -> MCPError {
        MCPError(
            code: missingCapabilityCode, "The client lacks a capability this request needs",
            data: ["requiredCapabilities": .object(required)])
    }

    package static func unsupportedVersion(_ requested: String) -> MCPError {
        let supported = Revision.modern.map { JSONValue.string($0.rawValue) }
        return MCPError(
            code: unsupportedVersionCode, "Unsupported protocol version",
            data: ["supported": .array(supported), "requested": .string(requested)])
    }

    /// The error as it may appear in a revision.
    func spelled(for revision: Revision) -> MCPError {
        guard revision.isModern, code == Self.legacyResourceNotFoundCode else { return self }
        var copy = self
        copy.code = Self.invalidParamsCode
        return copy
    }

    /// The HTTP status of a *processed* request's error. Legacy clients lose
    /// the body of anything but 200.
    func status(for revision: Revision) -> Int {
        guard revision.isModern else { return 200 }
        switch spelled(for: revision).code {
        case Self.methodNotFoundCode: return 404
        case Self.internalErrorCode: return 200
        case Self.forbiddenCode: return 403
        case -32768 ... -32000: return 400
        default: return 200
        }
    }
}
