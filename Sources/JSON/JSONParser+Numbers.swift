extension JSONParser {
    /// Powers of ten that a double holds exactly.
    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// The number at `position`: an integer without fraction and exponent that
    /// fits is ``JSONValue/int(_:)``, everything else a finite double.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard position < bytes.count else { throw ended() }

        // Digits are gathered in negative, whose range includes Int.min.
        var mantissa = 0
        var fits = true
        let leadingZero = bytes[position] == UInt8(ascii: "0")
        let integerDigits = digits(&mantissa, &fits)
        guard integerDigits > 0 else { throw invalid(start) }
        if leadingZero, integerDigits > 1 { throw invalid(start) }

        var fractionDigits = 0
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            fractionDigits = digits(&mantissa, &fits)
            guard fractionDigits > 0 else { throw position < bytes.count ? invalid(start) : ended() }
        }
        let exponentStart = position
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            try exponent(start)
        }
        if isInteger, fits {
            if isNegative { return .int(mantissa) }
            if mantissa != .min { return .int(-mantissa) }
        }
        if !isInteger, fits, exponentStart == position, fractionDigits < Self.exactPowers.count,
            mantissa > -(1 << 53)
        {
            // Both operands are exact, so one division is correctly rounded.
            let magnitude = Double(-mantissa) / Self.exactPowers[fractionDigits]
            return .double(isNegative ? -magnitude : magnitude)
        }
        return try slowDouble(start)
    }

    private mutating func digits(_ value: inout Int, _ fits: inout Bool) -> Int {
        let start = position
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (difference, underflow) = product.subtractingReportingOverflow(Int(digit))
            if overflow || underflow { fits = false }
            value = difference
            position += 1
        }
        return position - start
    }

    private mutating func exponent(_ start: Int) throws(JSONError) {
        position += 1
        if position < bytes.count,
            bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
        {
            position += 1
        }
        guard position < bytes.count else { throw ended() }
        var ignored = 0
        var fits = true
        guard digits(&ignored, &fits) > 0 else { throw invalid(start) }
    }

    private func slowDouble(_ start: Int) throws(JSONError) -> JSONValue {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONError(.numberOutOfRange, "A number is too large for a double", offset: start)
        }
        return .double(value)
    }

    private func invalid(_ start: Int) -> JSONError {
        JSONError(.invalidNumber, "A number is malformed", offset: start)
    }
}
