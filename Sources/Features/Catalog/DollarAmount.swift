package import JSON
package import Kernel

/// An amount that clients give in dollars, in cents.
///
/// A number or a text with at most two decimal places; never rounded.
package struct DollarAmount: Sendable, Hashable {
    package var cents: Int
    package init(cents: Int) { self.cents = cents }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.joined()
        guard (1...2).contains(parts.count), !parts[0].isEmpty, digits.utf8.count <= 12,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let whole = Int(parts[0])
        else { return nil }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        while fraction.utf8.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
        guard fraction.utf8.count <= 2, !(parts.count == 2 && parts[1].isEmpty) else { return nil }
        while fraction.utf8.count < 2 { fraction += "0" }
        guard let part = Int(fraction) else { return nil }
        cents = whole * 100 + part
    }

    /// As people read it, e.g. `$79.50`.
    package var text: String {
        let part = abs(cents % 100)
        return "\(cents < 0 ? "-" : "")$\(abs(cents / 100)).\(part < 10 ? "0" : "")\(part)"
    }

    /// As JSON that promises dollars has it.
    package var dollars: Double { Double(cents) / 100 }
}

extension DollarAmount: InputValue {
    package static var inputSchema: JSONObject { ["type": "number", "minimum": 0, "multipleOf": 0.01] }

    package init(input: JSONValue) throws(InputProblem) {
        let text: String
        switch input {
        case .int(let number): text = "\(number)"
        // The shortest text that reads as the same number: 79.99, not 79.989999.
        case .double(let number): text = "\(number)"
        case .string(let words): text = words
        default: throw InputProblem("must be an amount in dollars, not \(input.typeName)")
        }
        guard let amount = DollarAmount(text) else {
            throw InputProblem("must be an amount in dollars with at most two decimal places, such as 79.50")
        }
        self = amount
    }

    package var inputJSON: JSONValue { .double(dollars) }
}
