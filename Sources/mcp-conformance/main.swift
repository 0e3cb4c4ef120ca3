import Glibc
import Hummingbird
import MCP
import Server

// The fixtures over standard input and output, or with a port over HTTP at
// /mcp: `mcp-conformance [port]`.
let server = MCPServer(host: ConformanceHost(), configuration: ConformanceHost.configuration)

if let port = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }) {
    let router = Router()
    for method in [.get, .post, .delete] as [HTTPRequest.Method] {
        router.on("/mcp", method: method) { request, _ in
            try await MCPHTTPAdapter.respond(server, to: request, caller: ConformanceHost.Caller())
        }
    }
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
    try await application.runService()
} else {
    // Reading blocks one thread of the pool, which a test program may do.
    let lines = AsyncStream { readLine().map { Array($0.utf8) } }
    try await MCPStdio(server: server, caller: ConformanceHost.Caller()).run(lines: lines) { line in
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { throw CancellationError() }
            rest = rest.dropFirst(count)
        }
    }
}
