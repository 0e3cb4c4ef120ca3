// Which queues a process works on.
extension Setting {
    /// Jobs of one queue at a time that may be asked for.
    private static let concurrency = 1...1_000

    /// Queues by name, comma-separated, each perhaps with `=` and how many of its jobs
    /// run at a time: `payments=4,webhooks`. Unset means all of them.
    static func queues(_ name: String, _ path: Path<[Queue]?>, _ summary: String) -> Setting {
        Setting(names: [name], summary: summary, isSecret: false) { configuration, text in
            do throws(Problem) { configuration[keyPath: path] = try parsed(text) } catch { return error.text }
            return nil
        } value: { configuration in
            configuration[keyPath: path]?.map { "\($0.name)=\($0.concurrency)" }.joined(separator: ",")
        }
    }

    private struct Problem: Error { let text: String }

    private static func parsed(_ text: String) throws(Problem) -> [Queue] {
        var queues: [Queue] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let queue = try queue(part.filter { !$0.isWhitespace })
            guard !queues.contains(where: { $0.name == queue.name }) else {
                throw Problem(text: "names '\(queue.name)' twice")
            }
            queues.append(queue)
        }
        return queues
    }

    private static func queue(_ text: String) throws(Problem) -> Queue {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let known = Queue.all.first(where: { $0.name == parts[0] }) else {
            let names = Queue.all.map(\.name).joined(separator: ", ")
            throw Problem(text: "names no queue with '\(parts[0].prefix(40))'; the queues are \(names)")
        }
        guard parts.count > 1 else { return known }
        guard let number = Int(parts[1]), concurrency.contains(number) else {
            throw Problem(
                text: "must give '\(known.name)' a whole number from \(concurrency.lowerBound) to "
                    + "\(concurrency.upperBound), not '\(parts[1].prefix(40))'")
        }
        return Queue(known.name, concurrency: number)
    }
}
