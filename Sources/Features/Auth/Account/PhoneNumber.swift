/// Telephone numbers as people type them.
package enum PhoneNumber {
    /// E.164: digits only, ten of them are of North America; nil with fewer than 10 or
    /// more than 14 (domain specification §1.1).
    package static func normalized(_ text: String) -> String? {
        let allowed = text.allSatisfy { $0.isASCII && ($0.isNumber || " +-().".contains($0)) }
        let digits = text.filter { $0.isASCII && $0.isNumber }
        guard allowed, (10...14).contains(digits.count), digits.count == 10 || digits.first != "0" else {
            return nil
        }
        return digits.count == 10 ? "+1" + digits : "+" + digits
    }
}
