import Kernel

/// Text of a task as answers show it: cleaned, without credentials, cut.
///
/// Lengths and the three dots are of the tools' contract, section 3.
package enum TaskText {
    package static let tracebackLength = 1_000
    package static let resultLength = 500
    package static let exceptionLength = 500
    package static let argumentLength = 200
    package static let nameLength = 200

    /// The newest lines of a traceback matter most, but the contract shows its beginning.
    package static func traceback(_ text: String?) -> String? { shown(text, tracebackLength) }

    package static func result(_ text: String?) -> String? { shown(text, resultLength) }

    package static func exception(_ text: String?) -> String? { shown(text, exceptionLength) }

    /// nil for no arguments: an empty text, `()` or `{}`.
    package static func arguments(_ text: String?) -> String? {
        guard let text, text != "()", text != "{}", text != "[]" else { return nil }
        return shown(text, argumentLength)
    }

    /// A name or an id.
    package static func name(_ text: String) -> String {
        UntrustedText.cleaned(text, maximumCharacters: nameLength)
    }

    private static func shown(_ text: String?, _ length: Int) -> String? {
        guard let text, !text.isEmpty else { return nil }
        // Looked for before the cut, which could leave half of a secret.
        let safe = UntrustedText.cleaned(Redaction.auditChanges.redacted(text: bounded(text)))
        guard let end = safe.index(safe.startIndex, offsetBy: length, limitedBy: safe.endIndex),
            end < safe.endIndex
        else { return safe }
        return safe[..<end] + "..."
    }

    /// No more than could be shown, so that a text of megabytes costs no more than its reading.
    private static func bounded(_ text: String) -> String {
        text.utf8.count > longestRead ? String(decoding: text.utf8.prefix(longestRead), as: UTF8.self) : text
    }

    private static let longestRead = 65_536
}
