import JSON

/// JSON-RPC framing of what the server sends.
enum Envelope {
    static func notification(_ method: String, _ params: JSONObject) -> [UInt8] {
        message { writer in
            writer.member("method", method)
            writer.key("params")
            writer.object(params)
        }
    }

    static func request(id: String, _ request: InputRequest) -> [UInt8] {
        message { writer in
            writer.member("id", id)
            writer.member("method", request.method)
            writer.key("params")
            writer.object(request.params)
        }
    }

    /// An error; the id is left out when it could not be read, since null is no id.
    static func error(_ error: MCPError, id: RequestID?) -> [UInt8] {
        message { writer in
            if let id {
                writer.key("id")
                id.write(to: &writer)
            }
            writer.key("error")
            writer.beginObject()
            writer.key("code")
            writer.int(error.code)
            writer.member("message", error.message)
            if let data = error.data {
                writer.key("data")
                writer.value(data)
            }
            writer.endObject()
        }
    }

    /// A result whose members the closure writes.
    static func result(
        id: RequestID, capacity: Int = 256, _ members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        message(capacity: capacity) { writer in
            writer.key("id")
            id.write(to: &writer)
            writer.key("result")
            writer.beginObject()
            members(&writer)
            writer.endObject()
        }
    }

    private static let version = Array(#""jsonrpc":"2.0""#.utf8)

    private static func message(capacity: Int = 256, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.beginObject()
        writer.rawMembers(version)
        members(&writer)
        writer.endObject()
        return writer.bytes
    }
}
