/// Addresses and numbers that messages go to.
package enum Recipient {
    /// Enough to recognise, not enough to use: `j***@example.com`, `+1******4567`.
    package static func masked(_ text: String) -> String {
        if let at = text.lastIndex(of: "@") {
            let name = text[..<at]
            return "\(name.count > 1 ? String(name.prefix(1)) : "")***\(text[at...])"
        }
        guard isNumber(text), text.count >= 9 else { return "***" }
        let stars = String(repeating: "*", count: text.count - 6)
        return "\(text.prefix(2))\(stars)\(text.suffix(4))"
    }

    /// One `@` with something on both sides, and nothing that could end a header or
    /// begin another address. Whether anybody is there only the provider can tell.
    package static func isAddress(_ text: String) -> Bool {
        let sides = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace
                && !#"<>()[],;:\""#.unicodeScalars.contains($0)
        }
        return isPlain && sides.count == 2 && sides.allSatisfy { !$0.isEmpty }
            && text.utf8.count <= OutgoingMessage.maximumAddressBytes
    }

    /// E.164: `+`, then at most 15 digits of which the first is not 0.
    static func isNumber(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: "+") && (2...15).contains(digits.count)
            && digits.first != UInt8(ascii: "0") && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}
