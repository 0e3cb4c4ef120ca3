package import JSON

/// The id of a JSON-RPC request; it is echoed with the type it came with.
package enum RequestID: Sendable, Hashable {
    case string(String)
    case int(Int)

    /// Nil for anything but a string or an integer; null is no id (MCP, basic/index).
    package init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .int(let number): self = .int(number)
        default: return nil
        }
    }

    package var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .int(let number): .int(number)
        }
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .string(let text): writer.string(text)
        case .int(let number): writer.int(number)
        }
    }
}
