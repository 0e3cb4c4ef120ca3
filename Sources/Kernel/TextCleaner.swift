/// Drops invisible code points from a stream of them, as ``UntrustedText``
/// describes.
///
/// Everything is decided by what has been kept so far, never by the input
/// alone, so that nothing forbidden can be put together from what remains.
struct TextCleaner {
    /// What has been kept, as UTF-8.
    private(set) var output: [UInt8] = []
    private var last = Last.other
    /// A joiner or selector that is kept only if the right thing follows.
    private var pending: Unicode.Scalar?
    private var joins = 0
    private var marks = 0

    private enum Last {
        /// An emoji, or a modifier of one.
        case emoji
        /// An emoji that already has its variation selector.
        case selectedEmoji
        /// A digit, `#` or `*`: U+FE0F and U+20E3 make it a keycap.
        case keycapBase
        case carriageReturn
        case other
    }

    private static let joiner: Unicode.Scalar = "\u{200D}"
    private static let emojiSelector: Unicode.Scalar = "\u{FE0F}"
    private static let textSelector: Unicode.Scalar = "\u{FE0E}"
    private static let keycap: Unicode.Scalar = "\u{20E3}"
    /// The longest emoji sequences recommended for interchange (UTS #51)
    /// have three joiners.
    private static let maximumJoins = 4
    private static let maximumMarks = 30

    /// Adds one code point, or drops it.
    mutating func add(_ scalar: Unicode.Scalar) {
        if scalar.isASCII { return addASCII(scalar) }
        switch scalar {
        case Self.joiner:
            if last == .emoji || last == .selectedEmoji, joins < Self.maximumJoins { pending = scalar }
        case Self.emojiSelector, Self.textSelector:
            if last == .emoji, pending == nil {
                append(scalar)
                last = .selectedEmoji
            } else if last == .keycapBase, scalar == Self.emojiSelector {
                pending = scalar
            }
        case "\u{2028}", "\u{2029}", "\u{85}":
            addASCII("\n")
        default:
            if Self.isVisible(scalar) { addVisible(scalar) }
        }
    }

    private mutating func addASCII(_ scalar: Unicode.Scalar) {
        let isKept = scalar >= " " && scalar <= "~" || scalar == "\n" || scalar == "\t" || scalar == "\r"
        guard isKept else { return }
        let completesReturn = scalar == "\n" && last == .carriageReturn
        pending = nil
        marks = 0
        switch scalar {
        case "\r":
            output.append(UInt8(ascii: "\n"))
            last = .carriageReturn
        case "0"..."9", "#", "*":
            append(scalar)
            last = .keycapBase
        default:
            if !completesReturn { append(scalar) }
            last = .other
            if scalar == ";" { dropInvisibleEntity() }
        }
    }

    private mutating func addVisible(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        if properties.isMark {
            marks += 1
            if marks > Self.maximumMarks { return }
        } else {
            marks = 0
        }
        let isEmoji = properties.isEmoji
        let isModifier = properties.isEmojiModifier
        if pending == Self.joiner, isEmoji, !isModifier {
            append(Self.joiner)
            joins += 1
        } else {
            if pending == Self.emojiSelector, scalar == Self.keycap { append(Self.emojiSelector) }
            if !isModifier { joins = 0 }
        }
        pending = nil
        append(scalar)
        last = isEmoji ? .emoji : .other
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.EncodedScalar())
    }
}

extension TextCleaner {
    /// Whether a code point outside of ASCII shows something by itself.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80...0x9F, 0xE000...0xF8FF, 0xFFF9...0xFFFB, 0xFDD0...0xFDEF, 0xE0000...0xE0FFF,
            0xF0000...0x10FFFF:
            return false
        case 0x3400...0x9FFF, 0xAC00...0xD7A3, 0x3041...0x30FF:
            // The bulk of East Asian text; saves looking properties up.
            return true
        default:
            return scalar.value & 0xFFFE != 0xFFFE && !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// The longest entity looked for, with ampersand and semicolon.
    private static let longestEntity = 24

    private static let invisibleNames: Set<String> = [
        "ZeroWidthSpace", "NegativeVeryThinSpace", "NegativeThinSpace", "NegativeMediumSpace",
        "NegativeThickSpace",
        "zwj", "zwnj", "lrm", "rlm", "shy", "NoBreak", "ApplyFunction", "af", "InvisibleTimes", "it",
        "InvisibleComma", "ic",
    ]

    /// Takes back an entity that ends what has been kept and stands for
    /// something that would have been dropped.
    private mutating func dropInvisibleEntity() {
        let tail = output.suffix(Self.longestEntity)
        guard let start = tail.lastIndex(of: UInt8(ascii: "&")) else { return }
        let name = String(decoding: output[(start + 1)...].dropLast(), as: UTF8.self)
        guard Self.isInvisible(entity: name) else { return }
        output.removeSubrange(start...)
        // What comes next stands on what came before the entity.
        let before = String(decoding: output.suffix(4 * (Self.maximumMarks + 1)), as: UTF8.self)
        marks = before.unicodeScalars.reversed().prefix { $0.properties.isMark }.count
    }

    private static func isInvisible(entity name: String) -> Bool {
        guard name.hasPrefix("#") else { return invisibleNames.contains(name) }
        let digits = name.dropFirst()
        let isHexadecimal = digits.first == "x" || digits.first == "X"
        let value = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
        guard let value, let scalar = Unicode.Scalar(value) else { return false }
        if scalar.isASCII { return value < 0x20 && scalar != "\n" && scalar != "\t" || value == 0x7F }
        return scalar == joiner || scalar == emojiSelector || scalar == textSelector || !isVisible(scalar)
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isMark: Bool {
        switch generalCategory {
        case .nonspacingMark, .enclosingMark: true
        default: false
        }
    }
}
