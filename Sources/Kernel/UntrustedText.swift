package import JSON

/// Makes text from outside safe to show and to hand to a language model.
///
/// Removed is what a reader cannot see but a program reads: control
/// characters except newline and tab, bidirectional controls, zero-width
/// characters, tag characters (U+E0000 to U+E007F), variation selectors and
/// joiners outside of emoji, private-use characters and noncharacters; also
/// when spelled as an HTML entity. Kept are emoji with their sequences, all
/// scripts and combining marks, at most thirty of those on one character
/// (the limit of UAX #15's stream-safe text).
///
/// Cleaning clean text changes nothing. It does not make the text true or
/// friendly: whoever shows it still marks it as untrusted.
package enum UntrustedText {
    /// What ends a text that was cut.
    package static let ellipsis: Character = "…"
    /// A character may be a chain of many code points; a text is cut when it
    /// has more bytes than this per character allowed.
    private static let maximumBytesPerCharacter = 16

    /// The text without what is invisible, cut to a number of characters.
    ///
    /// A text that is longer ends in ``ellipsis``, which counts.
    package static func cleaned(_ text: String, maximumCharacters: Int = .max) -> String {
        guard maximumCharacters > 0 else { return "" }
        let (product, overflow) = maximumCharacters.multipliedReportingOverflow(by: maximumBytesPerCharacter)
        let byteLimit = overflow ? Int.max : product
        var cleaner = TextCleaner()
        for scalar in text.unicodeScalars {
            cleaner.add(scalar)
            if cleaner.output.count > byteLimit { break }
        }
        let isCut = cleaner.output.count > byteLimit
        let cleaned = String(decoding: cleaner.output, as: UTF8.self)
        guard isCut || cleaned.utf8.count > maximumCharacters else { return cleaned }
        return cut(cleaned, to: maximumCharacters, isCut: isCut)
    }

    /// The value with every string in it cleaned, and every key.
    ///
    /// - Parameter maximumCharacters: The most characters per string.
    package static func cleaned(_ value: JSONValue, maximumCharacters: Int = .max) -> JSONValue {
        switch value {
        case .null, .bool, .int, .double: value
        case .string(let text): .string(cleaned(text, maximumCharacters: maximumCharacters))
        case .array(let elements): .array(elements.map { cleaned($0, maximumCharacters: maximumCharacters) })
        case .object(let members):
            .object(
                JSONObject(
                    members.map { key, value in
                        (
                            cleaned(key, maximumCharacters: maximumCharacters),
                            cleaned(value, maximumCharacters: maximumCharacters)
                        )
                    }))
        }
    }

    private static func cut(_ text: String, to maximum: Int, isCut: Bool) -> String {
        let limit = text.index(text.startIndex, offsetBy: maximum, limitedBy: text.endIndex)
        // The limit is at or past the end: nothing to cut.
        if !isCut, limit == nil || limit == text.endIndex { return text }
        let end = text.index(text.startIndex, offsetBy: maximum - 1, limitedBy: text.endIndex)
        // A text stopped for its bytes may end inside a chain, which goes.
        return String(text[..<(end ?? text.index(before: text.endIndex))]) + String(ellipsis)
    }
}
