/// The codes of invites: eight characters that nobody mistakes for others.
///
/// Digits and capitals without 0, O, 1, I and L: 31 to the power of 8, about
/// 850,000 million codes (domain specification §1.10).
package enum InviteCode {
    package static let length = 8
    package static let alphabet = Array("23456789ABCDEFGHJKMNPQRSTUVWXYZ")

    /// A new code from `generator`; the system's, except in tests.
    package static func random(using generator: inout some RandomNumberGenerator) -> String {
        String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    package static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// What somebody typed as it is stored: capitals, no spaces or dashes around or inside.
    package static func normalized(_ text: String) -> String {
        String(text.uppercased().filter { !$0.isWhitespace && $0 != "-" })
    }
}
