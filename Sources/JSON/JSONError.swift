/// Why a document could not be parsed, or a value not decoded.
///
/// `message` is one short sentence without a trailing period. It quotes at most
/// a member name of the document, never a value, so it is safe to show.
package struct JSONError: Error, Sendable, Hashable {
    /// What went wrong, for code that reacts to it.
    package enum Kind: String, Sendable, CaseIterable {
        case unexpectedEnd, unexpectedByte, trailingBytes, tooDeep, tooLarge
        case invalidNumber, numberOutOfRange
        case invalidUTF8, invalidEscape, loneSurrogate, controlCharacter
        case duplicateKey
        /// Decoding: the value has another type or form than the Swift type asks for.
        case mismatch
        /// Decoding: a required member is absent.
        case missing
        /// Describing: a type's schema cannot be derived by running its decoder.
        case undescribable
    }

    package var kind: Kind
    package var message: String
    /// Byte offset in the document; 0 for errors found after parsing.
    package var offset: Int
    /// Where in the value (`items[0].name`), for decoding; empty at the root.
    package var path: String

    package init(_ kind: Kind, _ message: String, offset: Int = 0, path: String = "") {
        self.kind = kind
        self.message = message
        self.offset = offset
        self.path = path
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .mismatch, .missing, .undescribable: path.isEmpty ? message : "\(path): \(message)"
        default: "\(message) (byte \(offset))"
        }
    }
}
