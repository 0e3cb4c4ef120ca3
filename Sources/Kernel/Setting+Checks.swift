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

    static let isCron: Check = { text in
        CronExpression(text) == nil
            ? "must be five cron fields such as '0 4 * * *', not '\(text.prefix(40))'" : nil
    }

    static let isSeed: Check = { text in
        Secrets.bytes(base64URL: text)?.count == 32 ? nil : "must be 32 bytes in base64url without padding"
    }

    /// The name in a signed note may have neither (c2sp.org/signed-note).
    static let isKeyName: Check = { text in
        text.contains { $0.isWhitespace || $0 == "+" } ? "must not contain white space or '+'" : nil
    }

    /// `a@b.c` or `Name <a@b.c>`; it becomes a header, so it is one line.
    static let isSender: Check = { text in
        let address = text.last == ">" ? text.split(separator: "<").last?.dropLast() ?? "" : text[...]
        let isAddress = address.contains("@") && !address.contains { $0.isWhitespace }
        return isAddress && !text.contains { $0.isNewline }
            ? nil : "must be an address such as InstaInstru <hello@example.com>"
    }

    static let isAccountSID = isSID("AC")
    static let isServiceSID = isSID("MG")

    /// Twilio's ids: two letters and 32 hexadecimal digits. They become part of a path.
    private static func isSID(_ prefix: String) -> Check {
        { text in
            text.hasPrefix(prefix) && text.utf8.count == 34 && text.dropFirst(2).allSatisfy(\.isHexDigit)
                ? nil : "must be \(prefix) and 32 hexadecimal digits"
        }
    }
}
