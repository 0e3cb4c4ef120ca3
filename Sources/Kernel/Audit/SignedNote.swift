import FoundationEssentials

/// A text with signatures below it: a C2SP signed note.
///
/// ```
/// <text, every line ended by a newline>
///
/// — <key name> <base64 of key hash and signature>
/// ```
///
/// Parsing is strict and proves nothing; ``verify(with:)`` does. What was
/// signed is kept byte for byte, so that a note is never judged by a text
/// that was written anew.
///
/// Source: c2sp.org/signed-note.
package struct SignedNote: Sendable, Hashable {
    /// One signature line.
    package struct Signature: Sendable, Hashable {
        /// The name of the key, as the line gives it.
        package var name: String
        /// The four bytes that tell keys of one name apart.
        package var keyHash: UInt32
        /// The signature proper, without the key hash.
        package var bytes: [UInt8]

        package init(name: String, keyHash: UInt32, bytes: [UInt8]) {
            self.name = name
            self.keyHash = keyHash
            self.bytes = bytes
        }
    }

    /// Why a text is not a note, or not one to trust.
    package enum Problem: Error, Sendable, Hashable {
        /// Longer than ``SignedNote/maximumByteCount``.
        case tooLong
        /// Not UTF-8, or with a control character other than a newline.
        case badCharacter
        /// No empty line followed by at least one signature line.
        case unsigned
        /// A signature line that is not one.
        case badSignatureLine
        /// More signatures than ``SignedNote/maximumSignatureCount``.
        case tooManySignatures
        /// No signature by the key asked for.
        case unknownKey
        /// A signature that names the key asked for and is not by it.
        case badSignature
    }

    /// The most bytes a note may have.
    package static let maximumByteCount = 1_000_000
    /// The most signatures a note may have.
    package static let maximumSignatureCount = 100

    /// What is signed; ends with a newline.
    package let text: String
    package private(set) var signatures: [Signature]

    /// Signs a text. It must end with a newline and hold no other control
    /// character; otherwise it is not a note and the problem is thrown.
    package init(text: String, signer: NoteSigner) throws(Problem) {
        guard text.utf8.count <= Self.maximumByteCount else { throw .tooLong }
        guard Self.isClean(text.utf8), text.utf8.last == UInt8(ascii: "\n") else { throw .badCharacter }
        guard let signature = signer.signature(over: Array(text.utf8)) else { throw .badSignature }
        self.text = text
        signatures = [signature]
    }

    /// Reads a note. Proves nothing about who signed it.
    package init(parsing note: some Collection<UInt8>) throws(Problem) {
        guard note.count <= Self.maximumByteCount else { throw .tooLong }
        let bytes = Array(note)
        guard Self.isClean(bytes), let whole = String(validating: bytes, as: UTF8.self) else {
            throw .badCharacter
        }
        // The last empty line separates: the text itself may contain others.
        let newline = UInt8(ascii: "\n")
        guard bytes.last == newline,
            let separator = bytes.indices.dropLast().last(where: {
                bytes[$0] == newline && bytes[$0 + 1] == newline
            })
        else { throw .unsigned }
        let lines = bytes[(separator + 2)...].dropLast()
            .split(separator: newline, omittingEmptySubsequences: false)
        guard separator + 2 < bytes.count else { throw .unsigned }
        guard lines.count <= Self.maximumSignatureCount else { throw .tooManySignatures }
        var signatures: [Signature] = []
        for line in lines {
            guard let signature = Signature(line: line) else { throw .badSignatureLine }
            signatures.append(signature)
        }
        text = String(decoding: whole.utf8.prefix(separator + 1), as: UTF8.self)
        self.signatures = signatures
    }

    /// The note as text: what was signed, an empty line, the signatures.
    package var description: String {
        text + "\n" + signatures.map { "\($0.line)\n" }.joined()
    }

    /// Throws unless the key has signed this text.
    ///
    /// Signatures by other keys are ignored, as they must be for keys to be
    /// rotated and witnesses to be added.
    package func verify(with verifier: NoteVerifier) throws(Problem) {
        let own = signatures.filter { verifier.isNamed(by: $0) }
        guard !own.isEmpty else { throw .unknownKey }
        let signed = Array(text.utf8)
        guard own.allSatisfy({ verifier.isValid($0, over: signed) }) else { throw .badSignature }
    }

    private static func isClean(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 || $0 == UInt8(ascii: "\n") }
    }
}

extension SignedNote: CustomStringConvertible {}

extension SignedNote.Signature {
    /// Reads `— name base64`, without the newline; nil for anything else.
    fileprivate init?(line: ArraySlice<UInt8>) {
        let start = Array("— ".utf8)
        guard line.starts(with: start) else { return nil }
        let fields = line.dropFirst(start.count).split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count == 2 else { return nil }
        let name = String(decoding: fields[0], as: UTF8.self)
        let base64 = String(decoding: fields[1], as: UTF8.self)
        guard NoteVerifier.isName(name), let data = Data(base64Encoded: base64),
            data.base64EncodedString() == base64, data.count > 4
        else { return nil }
        self.init(
            name: name, keyHash: data.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            bytes: Array(data.dropFirst(4)))
    }

    /// The signature as a line, without the newline.
    fileprivate var line: String {
        let hash = (0..<4).map { UInt8(truncatingIfNeeded: keyHash >> UInt32(24 - 8 * $0)) }
        return "— \(name) \(Data(hash + bytes).base64EncodedString())"
    }
}
