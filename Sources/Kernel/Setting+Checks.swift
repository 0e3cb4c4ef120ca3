import Logging
import Storage

// What a text must be before it becomes a setting: nil, or what is wrong with it.
// Checked when settings are read, so that all problems are reported together.
extension Setting {
    typealias Check = @Sendable (String) -> String?

    static let isLogLevel: Check = { text in
        guard Logger.Level(rawValue: text) == nil else { return nil }
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return "must be one of \(levels), not '\(text.prefix(40))'"
    }

    static let isDatabaseURL: Check = { text in
        do { _ = try DatabaseURL(parsing: text) } catch StorageError.connection(let problem) {
            return "is not usable: \(problem)"
        } catch { return "is not usable" }
        return nil
    }

    static let isSeed: Check = { text in
        Secrets.bytes(base64URL: text)?.count == 32 ? nil : "must be 32 bytes in base64url without padding"
    }

    /// The name in a signed note may have neither (c2sp.org/signed-note).
    static let isKeyName: Check = { text in
        text.contains { $0.isWhitespace || $0 == "+" } ? "must not contain white space or '+'" : nil
    }
}
