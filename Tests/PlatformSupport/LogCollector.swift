package import Logging
import Synchronization

/// Keeps what was logged, so that a test can look for what must and must not
/// be there.
package final class LogCollector: Sendable {
    private let entries = Mutex<[String]>([])

    package init() {}

    package var lines: [String] { entries.withLock { $0 } }

    package var logger: Logger { Logger(label: "test") { _ in Handler(collector: self) } }

    private func add(_ line: String) { entries.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let collector: LogCollector
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let text = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            collector.add("\(event.level) \(event.message) \(text)")
        }
    }
}
