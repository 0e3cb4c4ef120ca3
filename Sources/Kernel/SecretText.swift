/// Finds credentials and numbers of people inside running text, and takes
/// them out.
///
/// Knows: keys by their prefix (Stripe, Axiom, Grafana, GitHub, Sentry,
/// Slack, Render, AWS and our own), `Bearer` and `Basic` values, JSON Web Tokens, the
/// secret half of a Stripe client secret, the user and password of a URL,
/// PEM private keys, `password=` and the like, payment card numbers (Luhn) and social security
/// numbers. What it cannot know is a secret without a shape; those are found
/// by their key (see ``Redaction``).
///
/// One pass; every look ahead is bounded or done once per word.
struct SecretText {
    let bytes: [UInt8]
    private var position = 0
    /// Where what has not been copied yet begins.
    private var copied = 0
    private var output: [UInt8] = []

    /// The text with every secret replaced by ``Redaction/marker``; the same
    /// text if there is none.
    static func redacted(_ text: String) -> String {
        guard text.utf8.count >= shortestSecret else { return text }
        var search = SecretText(bytes: Array(text.utf8))
        return search.run() ? String(decoding: search.output, as: UTF8.self) : text
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static let shortestSecret = 8
    /// Letters and digits that must follow a prefix for it to count.
    private static let shortestBody = 3
    /// The same inside a word, so that `risk_test_mode` is left alone.
    private static let shortestEmbeddedBody = 10
    /// How far a URL's user and password are looked for.
    private static let longestUserInformation = 1024

    private static let prefixes: [[UInt8]] = [
        "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "xaat-", "xapt-", "glsa_", "glc_", "ghp_",
        "gho_",
        "ghs_", "github_pat_", "sntrys_", "sntryu_", "xoxb-", "xoxp-", "rnd_", "itk_", "AKIA",
    ].map { Array($0.utf8) }
    private static let prefixStarts = (0...255).map { byte in prefixes.contains { $0.first == byte } }
    private static let clientSecret = Array("_secret_".utf8)
    private static let clientSecretOwners = ["pi_", "seti_", "cs_", "vs_", "src_", "sub_"].map {
        Array($0.utf8)
    }
    private static let jwtStart = Array("eyJ".utf8)
    private static let pemStart = Array("-----BEGIN ".utf8)
    private static let pemPrivate = Array("PRIVATE KEY-----".utf8)
    private static let pemEnd = Array("-----END ".utf8)
    private static let urlAuthority = Array("://".utf8)
    private static let schemes = ["bearer", "basic"].map { Array($0.utf8) }

    private mutating func run() -> Bool {
        while position < bytes.count {
            if bytes[position].isWord {
                scanWord()
            } else if let range = userInformation(at: position) {
                replace(range)
            } else {
                position += 1
            }
        }
        guard copied > 0 else { return false }
        output += bytes[copied...]
        return true
    }

    private mutating func replace(_ range: Range<Int>) {
        output += bytes[copied..<range.lowerBound]
        output += Redaction.marker.utf8
        copied = range.upperBound
        position = range.upperBound
    }

    /// Looks at one run of letters, digits, underscores and hyphens. What is
    /// found may reach beyond it.
    private mutating func scanWord() {
        let end = bytes[position...].firstIndex { !$0.isWord } ?? bytes.count
        let word = position..<end
        if let value = schemeValue(after: word) { return replace(value) }
        let prefixStarts = Self.prefixStarts
        for index in word {
            let found: Range<Int>? =
                switch bytes[index] {
                case UInt8(ascii: "e"): webToken(at: index, in: word)
                case UInt8(ascii: "_"): clientSecret(at: index, in: word)
                case UInt8(ascii: "-"): privateKey(at: index)
                case let byte where prefixStarts[Int(byte)]: prefixed(at: index, in: word)
                case let byte where byte.isASCIIDigit: personalNumber(at: index)
                default: nil
                }
            if let found { return replace(found) }
        }
        if let value = assignedValue(after: word) { return replace(value) }
        position = end
    }

    /// A key that says by its first letters what it is.
    private func prefixed(at index: Int, in word: Range<Int>) -> Range<Int>? {
        let isEmbedded = index > word.lowerBound && bytes[index - 1].isASCIILetterOrDigit
        let needed = isEmbedded ? Self.shortestEmbeddedBody : Self.shortestBody
        for prefix in Self.prefixes where matches(prefix, at: index) {
            let body = index + prefix.count
            if bytes[body...].prefix(needed).count(where: \.isASCIILetterOrDigit) == needed {
                return index..<endOfToken(from: body)
            }
        }
        return nil
    }

    /// A JSON Web Token: `eyJ` opens its header, and after the word come a
    /// dot and the rest. Depends on the word's end alone, so that looking
    /// again inside a word costs nothing.
    private func webToken(at index: Int, in word: Range<Int>) -> Range<Int>? {
        guard matches(Self.jwtStart, at: index), word.upperBound - index >= 10,
            word.upperBound + 1 < bytes.count,
            bytes[word.upperBound] == UInt8(ascii: "."), bytes[word.upperBound + 1].isWord
        else { return nil }
        return index..<endOfToken(from: word.upperBound)
    }

    /// The half of `pi_1_secret_2` that must not be known.
    private func clientSecret(at index: Int, in word: Range<Int>) -> Range<Int>? {
        guard matches(Self.clientSecret, at: index),
            Self.clientSecretOwners.contains(where: { matches($0, at: word.lowerBound) })
        else { return nil }
        return index..<word.upperBound
    }

    /// The value after `Bearer` or `Basic`. A short word of letters alone is
    /// prose: "bearer token missing".
    private func schemeValue(after word: Range<Int>) -> Range<Int>? {
        let isScheme = Self.schemes.contains { scheme in
            scheme.count == word.count && zip(scheme, bytes[word]).allSatisfy { $0 == $1 | 0x20 }
        }
        guard isScheme else { return nil }
        let gap = bytes[word.upperBound...].prefix(4).prefix { $0 == 0x20 || $0 == UInt8(ascii: ":") }
        guard !gap.isEmpty else { return nil }
        let value = gap.endIndex..<endOfToken(from: gap.endIndex)
        let isProse = value.count < 16 && bytes[value].allSatisfy(\.isASCIILetter)
        return isProse ? nil : value
    }

    /// `scheme://user:password@host`: everything up to the last `@`, because
    /// either half may be the secret.
    private func userInformation(at index: Int) -> Range<Int>? {
        guard matches(Self.urlAuthority, at: index) else { return nil }
        let start = index + Self.urlAuthority.count
        let authority = bytes[start...].prefix(Self.longestUserInformation).prefix { byte in
            byte > 0x20 && !"/?#\"\\<>".utf8.contains(byte)
        }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")), at > start else { return nil }
        return start..<at
    }

    /// A PEM private key from its first line to its last, or to the end of
    /// the text if it has been cut.
    private func privateKey(at index: Int) -> Range<Int>? {
        guard matches(Self.pemStart, at: index) else { return nil }
        let label = index + Self.pemStart.count
        guard (label..<label + 40).contains(where: { matches(Self.pemPrivate, at: $0) }) else { return nil }
        let footer = (label..<bytes.count).first { matches(Self.pemEnd, at: $0) } ?? bytes.count
        let end = bytes[footer...].dropFirst(Self.pemEnd.count).firstIndex(of: UInt8(ascii: "\n"))
        return index..<(end ?? bytes.count)
    }

    private func matches(_ needle: [UInt8], at index: Int) -> Bool {
        guard index + needle.count <= bytes.count else { return false }
        for offset in needle.indices where bytes[index + offset] != needle[offset] { return false }
        return true
    }

    /// Where a run of base64 and token characters ends. A dot belongs to it
    /// only if more follows, so that a sentence keeps its full stop.
    private func endOfToken(from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            let goesOn = byte == UInt8(ascii: ".") && end + 1 < bytes.count && bytes[end + 1].isWord
            guard byte.isWord || goesOn || "+/=~".utf8.contains(byte) else { break }
            end += 1
        }
        return end
    }
}

extension UInt8 {
    fileprivate var isWord: Bool {
        isASCIILetterOrDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: "-")
    }
}
