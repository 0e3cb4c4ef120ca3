import Kernel

/// What a new password must be: domain specification §4.1.
package enum PasswordRules {
    package static let length = 8...128

    /// What is wrong with it; nil when all is well.
    package static func problem(_ password: String, email: String) -> String? {
        if let problem = problem(password) { return problem }
        let name = email.split(separator: "@").first.map(String.init) ?? email
        let lowered = password.lowercased()
        return lowered == email.lowercased() || lowered == name.lowercased()
            ? "must not be the e-mail address" : nil
    }

    private static func problem(_ password: String) -> String? {
        // Counted as JSON Schema does. The limit keeps a request from being expensive.
        let count = password.unicodeScalars.count
        guard length.contains(count) else {
            return "must have \(length.lowerBound) to \(length.upperBound) characters"
        }
        guard password.contains(where: \.isUppercase) else { return "must contain an upper-case letter" }
        guard password.contains(where: { $0.isASCII && $0.isNumber }) else { return "must contain a digit" }
        return nil
    }

    /// - Throws: ``Kernel/Failure/Code/invalidInput`` naming the field.
    package static func check(_ password: String, email: String, field: String) throws {
        if let problem = problem(password, email: email) {
            throw Failure.invalid([.init(field, problem)])
        }
    }
}
