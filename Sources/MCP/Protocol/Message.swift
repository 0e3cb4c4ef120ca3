import JSON

/// A JSON-RPC message that a client sent.
enum Message {
    case request(Request)
    case notification(method: String, params: JSONObject)
    case response(id: RequestID, outcome: Result<JSONValue, MCPError>)

    /// A request before anything in its params has been looked at.
    struct Request: Sendable {
        var id: RequestID
        var method: String
        var params: JSONObject

        var meta: JSONObject? { params["_meta"]?.objectValue }
    }

    /// Why a document is no message, and the id when it could be read.
    struct Problem: Error {
        var error: MCPError
        var id: RequestID?
    }

    /// Classifies a document. Batches are refused: 2025-06-18 removed them and
    /// no client of 2025-03-26 is known to need them.
    static func read(_ document: JSONValue) throws(Problem) -> Message {
        guard case .object(let object) = document else {
            throw Problem(
                error: .invalidRequest("The body must be one JSON-RPC message, not \(document.typeName)"))
        }
        let id = object["id"].flatMap(RequestID.init)
        func refuse(_ message: String) -> Problem { Problem(error: .invalidRequest(message), id: id) }

        guard object["jsonrpc"] == "2.0" else { throw refuse("jsonrpc must be \"2.0\"") }
        if object.contains("id"), id == nil { throw refuse("id must be a string or an integer") }
        guard let method = object["method"] else { return try response(object, id) }
        guard case .string(let method) = method else { throw refuse("method must be a string") }

        var params: JSONObject = [:]
        switch object["params"] {
        // Some clients spell an absent value as null.
        case nil, .null: break
        case .object(let given): params = given
        default: throw Problem(error: .invalidParams("params must be an object"), id: id)
        }
        guard let id else { return .notification(method: method, params: params) }
        return .request(Request(id: id, method: method, params: params))
    }

    private static func response(_ object: JSONObject, _ id: RequestID?) throws(Problem) -> Message {
        guard let id, object.contains("result") != object.contains("error") else {
            throw Problem(error: .invalidRequest("method is missing"), id: id)
        }
        if let result = object["result"] { return .response(id: id, outcome: .success(result)) }
        let error = object["error"] ?? .null
        return .response(
            id: id,
            outcome: .failure(
                MCPError(
                    code: error["code"]?.intValue ?? MCPError.internalErrorCode,
                    error["message"]?.stringValue ?? "The client reported an error")))
    }
}
