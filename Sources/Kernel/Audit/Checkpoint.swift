/// What the audit log looked like at one moment: its size and Merkle root.
///
/// Signed as a note, it commits whoever signed to every entry before it.
/// The text is one line each for the origin (the log's name), the size in
/// decimal and the root in base64, then optional extension lines:
///
/// ```
/// audit.example.com/prod
/// 20852163
/// CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
///
/// — audit.example.com/prod Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5…
/// ```
///
/// Source: c2sp.org/tlog-checkpoint.
package struct Checkpoint: Sendable, Hashable {
    /// The name of the log. Not empty, one line.
    package let origin: String
    /// The number of entries in the tree. Never negative.
    package let size: Int
    /// The root of the tree over them.
    package let root: MerkleHash
    /// More lines, each not empty. Readers that do not know them must pass
    /// over them.
    package let extensions: [String]

    /// Why a text is not a checkpoint, or not one to trust.
    package enum Problem: Error, Sendable, Hashable {
        /// The note around it is malformed, or not signed by the key.
        case note(SignedNote.Problem)
        /// Fewer than three lines.
        case tooFewLines
        /// The first line is empty, or holds a control character.
        case badOrigin
        /// The second line is not a decimal number without leading zeros
        /// that fits 63 bits.
        case badSize
        /// The third line is not the padded base64 of 32 bytes.
        case badRoot
        /// An extension line is empty, or holds a control character.
        case badExtension
        /// Properly signed, but about another log.
        case otherOrigin
    }

    /// Builds a checkpoint; throws for an origin, size or extension that its
    /// text could not hold.
    package init(origin: String, size: Int, root: MerkleHash, extensions: [String] = []) throws(Problem) {
        guard Self.isLine(origin) else { throw .badOrigin }
        guard size >= 0 else { throw .badSize }
        guard extensions.allSatisfy(Self.isLine) else { throw .badExtension }
        self.origin = origin
        self.size = size
        self.root = root
        self.extensions = extensions
    }

    /// Reads the text that is signed, without signatures.
    package init(text: String) throws(Problem) {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        // Every line ends with a newline, so the last piece is empty.
        guard lines.popLast() == "", lines.count >= 3 else { throw .tooFewLines }
        let size = Int(lines[1])
        guard let size, String(size).utf8.elementsEqual(lines[1].utf8) else { throw .badSize }
        guard let root = MerkleHash(base64: lines[2]) else { throw .badRoot }
        try self.init(origin: lines[0], size: size, root: root, extensions: Array(lines.dropFirst(3)))
    }

    /// The text that is signed.
    package var text: String {
        ([origin, String(size), root.base64] + extensions).map { "\($0)\n" }.joined()
    }

    /// The checkpoint as a note with one signature.
    package func signed(by signer: NoteSigner) throws(Problem) -> SignedNote {
        do { return try SignedNote(text: text, signer: signer) } catch { throw .note(error) }
    }

    /// Reads a signed checkpoint and checks its signature.
    ///
    /// - Parameters:
    ///   - note: The whole note, as stored or as exported.
    ///   - verifier: The key that must have signed it.
    ///   - origin: The log it must be about; the key's name when left out,
    ///     which is what C2SP recommends an origin to be.
    package init(
        verifying note: String, with verifier: NoteVerifier, origin: String? = nil
    ) throws(Problem) {
        let text = try Self.verifiedText(of: note, with: verifier)
        try self.init(text: text)
        guard self.origin.utf8.elementsEqual((origin ?? verifier.name).utf8) else { throw .otherOrigin }
    }

    private static func verifiedText(
        of note: String, with verifier: NoteVerifier
    ) throws(Problem) -> String {
        do throws(SignedNote.Problem) {
            let signed = try SignedNote(parsing: note.utf8)
            try signed.verify(with: verifier)
            return signed.text
        } catch {
            throw .note(error)
        }
    }

    private static func isLine(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x20 }
    }
}
