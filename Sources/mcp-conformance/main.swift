import Glibc
import MCP

// Fixtures over standard input and output. Reading blocks one thread of the
// pool, which a test program may do.
let server = MCPServer(host: ConformanceHost(), configuration: ConformanceHost.configuration)
let lines = AsyncStream { readLine().map { Array($0.utf8) } }
try await MCPStdio(server: server, caller: ConformanceHost.Caller()).run(lines: lines) { line in
    var rest = line[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        guard count > 0 else { throw CancellationError() }
        rest = rest.dropFirst(count)
    }
}
