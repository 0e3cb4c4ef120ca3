/// A code for whoever has lost the authenticator: `XXXX-XXXX-XXXX`, 60 random bits
/// from 32 characters of which none looks like another.
enum BackupCode {
    /// How many a person is given.
    static let count = 10
    /// Without I, O, 0 and 1.
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    private static let groups = 3
    private static let groupLength = 4

    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<groups).map { _ in
            String((0..<groupLength).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] })
        }.joined(separator: "-")
    }

    /// The twelve characters that are hashed, however the code was typed; nil when it
    /// cannot be one.
    static func normalized(_ text: String) -> String? {
        let characters = text.uppercased().filter { !$0.isWhitespace && $0 != "-" }
        let isCode =
            characters.count == groups * groupLength && characters.allSatisfy { alphabet.contains($0) }
        return isCode ? characters : nil
    }
}
