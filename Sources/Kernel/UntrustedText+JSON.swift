package import JSON

extension UntrustedText {
    /// Stored JSON text as it may be shown: every string and key cleaned. Text
    /// that is not JSON is shown as a string.
    ///
    /// Most stored text has nothing to clean and is passed on as it is.
    package static func cleaned(json text: String) -> RawJSON {
        if !mayNeedCleaning(text.utf8) { return RawJSON(unchecked: Array(text.utf8)) }
        guard let value = try? JSONValue(parsing: text) else { return RawJSON(.string(cleaned(text))) }
        return RawJSON(cleaned(value))
    }

    /// Whether there is anything but plain ASCII: a byte of another character,
    /// an escape such as `\u0000`, or an HTML entity.
    private static func mayNeedCleaning(_ bytes: String.UTF8View) -> Bool {
        var isEscaped = false
        for byte in bytes {
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "&") { return true }
            if isEscaped, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "/") {
                return true
            }
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        return false
    }
}
