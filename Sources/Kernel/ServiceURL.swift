/// Where another system's HTTP API is: a scheme, a host and perhaps a path
/// that every request begins with.
///
/// `https://user:password@host:5555/flower/` is read as the base
/// `https://host:5555/flower`; its credentials are kept apart, and neither
/// the base nor the description shows them (RFC 3986 §3.2.1).
package struct ServiceURL: Sendable, Hashable, CustomStringConvertible {
    /// Without credentials and without a slash at the end.
    package let base: String
    package let user: String?
    package let password: String?

    /// nil for anything but an `http` or `https` URL with a host and without query or fragment.
    package init?(parsing text: String) {
        guard let start = text.firstRange(of: "://"),
            !text.contains(where: { $0.isWhitespace || $0.isNewline }),
            !text.contains("?"), !text.contains("#")
        else { return nil }
        let scheme = text[..<start.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[start.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        var host = authority
        var credentials: Substring?
        if let at = authority.lastIndex(of: "@") {
            credentials = authority[..<at]
            host = authority[authority.index(after: at)...]
        }
        guard !host.isEmpty, host.first != ":" else { return nil }
        var path = rest[authority.endIndex...]
        while path.last == "/" { path.removeLast() }
        base = "\(scheme)://\(host)\(path)"
        let colon = credentials?.firstIndex(of: ":")
        user = credentials.flatMap { Self.decoded($0[..<(colon ?? $0.endIndex)]) }
        password = credentials.flatMap { text in
            colon.flatMap { Self.decoded(text[text.index(after: $0)...]) }
        }
    }

    package var description: String { base }

    /// The URL of `path`, which begins with a slash, with a query.
    package func url(_ path: String, _ query: [(String, String)] = []) -> String {
        let pairs = query.map { "\(Self.escaped($0))=\(Self.escaped($1))" }.joined(separator: "&")
        return pairs.isEmpty ? base + path : "\(base)\(path)?\(pairs)"
    }

    /// Everything but the unreserved characters of RFC 3986 §2.3 as `%XX`:
    /// a `+` left alone would be read as a space.
    package static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// A `%` that begins no escape stands for itself.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, digits.first != UInt8(ascii: "+"),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
