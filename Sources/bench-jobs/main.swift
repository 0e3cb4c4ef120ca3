import Foundation
import Storage

// The job engine with nothing around it, for the stress suite and the
// benchmarks. `bench-jobs <verb> [N] [--option value]…` over DATABASE_URL.

let bench = try await Bench(Options(Array(CommandLine.arguments.dropFirst())))
switch bench.options.verb {
case "migrate": break
case "enqueue": try await bench.enqueueEffects()
case "work": try await bench.work()
case "noop": try await bench.noops()
case "latency": try await bench.latency()
case "claim": try await bench.claims()
case "ceiling": try await bench.ceiling()
case "history": try await bench.history()
default:
    FileHandle.standardError.write(
        Data(
            "bench-jobs migrate | enqueue N | work | noop N | latency N | claim N | ceiling N | history\n"
                .utf8))
    exit(64)
}
await bench.database.close()
