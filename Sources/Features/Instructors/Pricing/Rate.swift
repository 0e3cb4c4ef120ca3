package import JSON
package import Kernel

/// A share of one, exact to four decimal places: 0.12 is twelve percent.
///
/// JSON has it as a number from 0 to 1. Columns that hold percent are written
/// and read through ``percent``, so that the two units cannot be mixed.
package struct Rate: Sendable, Hashable, Comparable {
    /// Hundredths of a percent: 1200 for 0.12.
    package let basisPoints: Int

    package init(basisPoints: Int) { self.basisPoints = basisPoints }

    /// From a number from 0 to 1, rounded half up to four places; nil outside of it.
    package init?(fraction: Double) {
        guard (0...1).contains(fraction) else { return nil }
        basisPoints = Int((fraction * 10_000).rounded())
    }

    /// From percent, as columns hold it.
    package init(percent: Double) { basisPoints = Int((percent * 100).rounded()) }

    package var fraction: Double { Double(basisPoints) / 10_000 }
    package var percent: Double { Double(basisPoints) / 100 }

    package static func < (left: Rate, right: Rate) -> Bool { left.basisPoints < right.basisPoints }

    /// The share of an amount that is not negative, half up on cents.
    package func share(ofCents cents: Int) -> Int { (cents * basisPoints + 5_000) / 10_000 }
}

extension Rate: Codable, SchemaDescribing {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let rate = Rate(fraction: try container.decode(Double.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a number from 0 to 1, such as 0.12")
        }
        self = rate
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(fraction)
    }

    package static var jsonSchema: JSONValue { ["type": "number", "minimum": 0, "maximum": 1] }
    package static var schemaExample: Rate { Rate(basisPoints: 0) }
}

extension Rate: InputValue {
    package static var inputSchema: JSONObject { ["type": "number", "minimum": 0, "maximum": 1] }

    package init(input: JSONValue) throws(InputProblem) {
        guard let rate = Rate(fraction: try Double(input: input)) else {
            throw InputProblem("must be a share from 0 to 1, such as 0.12 for twelve percent")
        }
        self = rate
    }

    package var inputJSON: JSONValue { .double(fraction) }
}
