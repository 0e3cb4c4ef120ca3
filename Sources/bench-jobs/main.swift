import Foundation
import Storage

// The job engine with nothing around it, for the stress suite and the
// benchmarks. `bench-jobs <verb> [N] [--option value]…` over DATABASE_URL.

do {
    let bench = try await Bench(Options(Array(CommandLine.arguments.dropFirst())))
    guard try await bench.run() else {
        FileHandle.standardError.write(
            Data("bench-jobs migrate|enqueue N|work|noop N|latency N|claim N|ceiling N|history\n".utf8))
        exit(64)
    }
    await bench.database.close()
} catch {
    FileHandle.standardError.write(Data("bench-jobs: \(error)\n".utf8))
    exit(1)
}
