import JSON

/// A limit on an argument: words in its schema and a check with an error of its own.
package struct InputRule<Value>: Sendable {
    let keywords: JSONObject
    let check: @Sendable (Value) -> String?
}

extension InputRule where Value == Int {
    package static func range(_ range: ClosedRange<Int>) -> InputRule {
        InputRule(keywords: ["minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]) {
            range.contains($0) ? nil : "must be from \(range.lowerBound) to \(range.upperBound), not \($0)"
        }
    }
}

extension InputRule where Value == Double {
    package static func range(_ range: ClosedRange<Double>) -> InputRule {
        InputRule(keywords: ["minimum": .double(range.lowerBound), "maximum": .double(range.upperBound)]) {
            range.contains($0) ? nil : "must be from \(range.lowerBound) to \(range.upperBound), not \($0)"
        }
    }
}

extension InputRule where Value == String {
    package static func length(_ range: ClosedRange<Int>) -> InputRule {
        InputRule(keywords: ["minLength": .int(range.lowerBound), "maxLength": .int(range.upperBound)]) {
            // JSON Schema counts code points, not grapheme clusters.
            let count = $0.unicodeScalars.count
            return range.contains(count)
                ? nil : "must have \(range.lowerBound) to \(range.upperBound) characters, not \(count)"
        }
    }
}

extension InputRule {
    package static func count<Element>(_ range: ClosedRange<Int>) -> InputRule where Value == [Element] {
        InputRule(keywords: ["minItems": .int(range.lowerBound), "maxItems": .int(range.upperBound)]) {
            range.contains($0.count)
                ? nil : "must have \(range.lowerBound) to \(range.upperBound) items, not \($0.count)"
        }
    }

    /// The same rule for a value that may be absent.
    func lifted() -> InputRule<Value?> {
        InputRule<Value?>(keywords: keywords) { [check] value in value.flatMap(check) }
    }
}
