extension SecretText {
    private static let shortestCard = 13
    private static let longestCard = 19

    /// A payment card or social security number that begins at a digit.
    ///
    /// Only a digit that begins a number is looked at, so digits inside an
    /// identifier never count.
    func personalNumber(at index: Int) -> Range<Int>? {
        guard index == 0 || !bytes[index - 1].isPartOfIdentifier else { return nil }
        return socialSecurityNumber(at: index) ?? cardNumber(at: index)
    }

    /// Three, two and four digits with hyphens between them.
    private func socialSecurityNumber(at index: Int) -> Range<Int>? {
        let shape = "000-00-0000".utf8
        let candidate = bytes[index...].prefix(shape.count)
        guard candidate.count == shape.count,
            zip(candidate, shape).allSatisfy({ $1 == UInt8(ascii: "-") ? $0 == $1 : $0.isASCIIDigit }),
            endsNumber(at: candidate.endIndex)
        else { return nil }
        return index..<candidate.endIndex
    }

    /// Thirteen to nineteen digits, single spaces or hyphens between them
    /// allowed, that begin like a card of a known network and pass the Luhn
    /// check (ISO/IEC 7812-1). The longest that does.
    private func cardNumber(at index: Int) -> Range<Int>? {
        var digits: [UInt8] = []
        var found: Range<Int>?
        var position = index
        while position < bytes.count, digits.count < Self.longestCard {
            if bytes[position].isASCIIDigit {
                digits.append(bytes[position] - UInt8(ascii: "0"))
                position += 1
                if digits.count >= Self.shortestCard, endsNumber(at: position), Self.isCard(digits) {
                    found = index..<position
                }
            } else if bytes[position] == 0x20 || bytes[position] == UInt8(ascii: "-"),
                position + 1 < bytes.count,
                bytes[position + 1].isASCIIDigit
            {
                position += 1
            } else {
                break
            }
        }
        return found
    }

    private func endsNumber(at index: Int) -> Bool {
        index >= bytes.count || !bytes[index].isPartOfIdentifier
    }

    private static func isCard(_ digits: [UInt8]) -> Bool {
        let start = digits.prefix(4).reduce(0) { $0 * 10 + Int($1) }
        // Without this, one in ten of all long numbers would be a card.
        switch start {
        case 4000...4999: guard [13, 16, 19].contains(digits.count) else { return false }
        case 2221...2720, 5000...5999, 6000...6999:
            guard digits.count >= 16 || start >= 5000 else { return false }
        case 3400...3499, 3700...3799: guard digits.count == 15 else { return false }
        case 3000...3099, 3528...3589, 3600...3699, 3800...3999:
            guard digits.count >= 14 else { return false }
        default: return false
        }
        var sum = 0
        for (offset, digit) in digits.reversed().enumerated() {
            let value = offset.isMultiple(of: 2) ? Int(digit) : Int(digit) * 2
            sum += value > 9 ? value - 9 : value
        }
        return sum.isMultiple(of: 10)
    }
}

extension UInt8 {
    fileprivate var isPartOfIdentifier: Bool { isASCIILetterOrDigit || self == UInt8(ascii: "_") }
}
