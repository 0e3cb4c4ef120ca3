import AsyncHTTPClient
import Foundation
package import JSON
import Kernel
import NIOCore
import NIOHTTP1

/// A call of an operation on a server, over its MCP endpoint.
package enum RemoteCall {
    package static func run(_ operation: String, _ arguments: JSONObject, url: String, token: String?)
        async throws
        -> [UInt8]
    {
        guard let token = token ?? ProcessInfo.processInfo.environment["INSTAINSTRU_TOKEN"] else {
            throw Failure(
                .unauthenticated, "No token for \(url).", hint: "Pass --token or set INSTAINSTRU_TOKEN.")
        }
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": [
                "name": .string("instainstru_\(operation)"), "arguments": .object(arguments),
                "_meta": [
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": [:],
                    "io.modelcontextprotocol/clientInfo": [
                        "name": "instainstru-cli", "version": .string(Build.version),
                    ],
                ],
            ],
        ]
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        var request = HTTPClientRequest(url: base.hasSuffix("/mcp") ? base : base + "/mcp")
        request.method = .POST
        request.headers.add(contentsOf: [
            "Authorization": "Bearer \(token)", "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call", "Mcp-Name": "instainstru_\(operation)",
        ])
        request.body = .bytes(message.encoded())
        let answer = try await send(request)
        if let error = answer["error"]?["message"]?.stringValue ?? answer["detail"]?.stringValue {
            throw Failure(.invalidInput, error, hint: answer["hint"]?.stringValue)
        }
        let result = answer["result"] ?? .null
        if result["isError"] == true {
            let text = result["content"]?[0]?["text"]?.stringValue ?? "The call failed."
            throw Self.failure(text)
        }
        guard let content = result["structuredContent"] else {
            throw Failure(.unavailable, "\(url) did not answer as an MCP server.")
        }
        return content.encoded()
    }

    /// Nobody at a terminal waits for a server that is not there.
    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    private static func send(_ request: HTTPClientRequest) async throws -> JSONValue {
        let bytes: [UInt8]
        do {
            bytes = try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                let response = try await client.execute(request, timeout: .seconds(60))
                return Array(try await response.body.collect(upTo: 32 << 20).readableBytesView)
            }
        } catch {
            throw Failure(.unavailable, "\(request.url) did not answer: \(error)")
        }
        do { return try JSONValue(parsing: bytes) } catch {
            throw Failure(.unavailable, "\(request.url) answered something that is not JSON.")
        }
    }

    private static func failure(_ text: String) -> Failure {
        guard let object = try? JSONValue(parsing: text), let message = object["message"]?.stringValue else {
            return Failure(.invalidInput, text)
        }
        return Failure(.invalidInput, message, hint: object["hint"]?.stringValue)
    }
}
