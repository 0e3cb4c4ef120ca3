/// Cuts a stream of bytes into lines; the break is not part of a line.
package struct LineSplitter: Sendable {
    private var rest: [UInt8] = []
    private let maximumBytes: Int

    /// A longer line is cut, so that a peer cannot fill the memory; the pieces
    /// are no valid messages and are answered as such.
    package init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// The lines that these bytes complete.
    package mutating func add(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var pieces = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let last = pieces.popLast() ?? []
        for piece in pieces {
            lines.append(rest + piece)
            rest = []
        }
        rest += last
        if rest.count > maximumBytes {
            lines.append(rest)
            rest = []
        }
        return lines
    }

    /// What came after the last break, when the stream has ended.
    package mutating func finish() -> [UInt8]? {
        defer { rest = [] }
        return rest.isEmpty ? nil : rest
    }
}
