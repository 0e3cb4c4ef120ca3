extension SecretText {
    /// Ends of names whose value is a secret wherever it is written out.
    private static let secretNames = [
        "password", "passwd", "pwd", "secret", "api_key", "apikey", "api-key", "access_token",
        "refresh_token",
        "token", "authorization",
    ].map { Array($0.utf8) }
    private static let longestName = 64
    private static let marker = Array(Redaction.marker.utf8)

    /// The value of `password=…` or `"password": "…"` after a word that is
    /// such a name: connection strings, query strings and JSON in text.
    func assignedValue(after word: Range<Int>) -> Range<Int>? {
        guard word.upperBound < bytes.count, word.count <= Self.longestName else { return nil }
        var index = word.upperBound
        let quote = UInt8(ascii: "\"")
        if bytes[index] == UInt8(ascii: "=") {
            index += 1
        } else if bytes[index...].prefix(2).elementsEqual([quote, UInt8(ascii: ":")]) {
            index += 2
            while index < bytes.count, bytes[index] == 0x20 { index += 1 }
            // Numbers and truth values are not secrets.
            guard index < bytes.count, bytes[index] == quote else { return nil }
        } else {
            return nil
        }
        guard isSecretName(word), index < bytes.count else { return nil }
        let isQuoted = bytes[index] == quote || bytes[index] == UInt8(ascii: "'")
        let start = isQuoted ? index + 1 : index
        let end = isQuoted ? endOfQuoted(from: start, by: bytes[index]) : endOfBare(from: start)
        return end > start && !bytes[start..<end].starts(with: Self.marker) ? start..<end : nil
    }

    private func isSecretName(_ word: Range<Int>) -> Bool {
        let name = bytes[word].map { $0.isASCIIUpper ? $0 | 0x20 : $0 }
        return Self.secretNames.contains { name.suffix($0.count).elementsEqual($0) }
    }

    private func endOfQuoted(from start: Int, by quote: UInt8) -> Int {
        var end = start
        while end < bytes.count, bytes[end] != quote { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(end, bytes.count)
    }

    private func endOfBare(from start: Int) -> Int {
        bytes[start...].firstIndex { $0 <= 0x20 || "&;,\"')}".utf8.contains($0) } ?? bytes.count
    }
}
