extension UInt8 {
    /// Whether the byte is `0` to `9`.
    var isASCIIDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    /// Whether the byte is `A` to `Z`.
    var isASCIIUpper: Bool { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") }
    /// Whether the byte is `a` to `z`.
    var isASCIILower: Bool { self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") }
    /// Whether the byte is a letter of either case.
    var isASCIILetter: Bool { isASCIIUpper || isASCIILower }
    /// Whether the byte is a letter or a digit.
    var isASCIILetterOrDigit: Bool { isASCIILetter || isASCIIDigit }
}
