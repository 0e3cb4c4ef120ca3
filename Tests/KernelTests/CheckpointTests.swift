import FoundationEssentials
import Kernel
import Testing

@Suite struct CheckpointTests {
    static let name = "audit.example.com/prod"
    static let root = MerkleTree.root(of: MerkleTreeTests.leaves)

    static func signer(_ byte: UInt8 = 7, name: String = name) throws -> NoteSigner {
        try #require(NoteSigner(name: name, seed: [UInt8](repeating: byte, count: 32)))
    }

    @Test func itsTextIsOriginSizeRootAndExtensions() throws {
        let checkpoint = try Checkpoint(
            origin: Self.name, size: 8, root: Self.root, extensions: ["a 1", "b"])
        let text = "audit.example.com/prod\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\na 1\nb\n"
        #expect(checkpoint.text == text)
        #expect(try Checkpoint(text: text) == checkpoint)
    }

    @Test func aSignedCheckpointIsReadBackAndChecked() throws {
        let signer = try Self.signer()
        let checkpoint = try Checkpoint(origin: Self.name, size: 8, root: Self.root)
        let note = try checkpoint.signed(by: signer).description
        #expect(note.hasPrefix(checkpoint.text + "\n— audit.example.com/prod "))
        let verifier = try #require(NoteVerifier(signer.verifier.description))
        #expect(try Checkpoint(verifying: note, with: verifier) == checkpoint)
        #expect(throws: Checkpoint.Problem.otherOrigin) {
            try Checkpoint(verifying: note, with: verifier, origin: "elsewhere")
        }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let signer = try Self.signer()
        let checkpoint = try Checkpoint(origin: Self.name, size: 8, root: Self.root, extensions: ["x"])
        let note = Array(try checkpoint.signed(by: signer).description.utf8)
        for index in note.indices {
            for bit in [UInt8(1), 0x10] {
                var changed = note
                changed[index] ^= bit
                let text = String(decoding: changed, as: UTF8.self)
                #expect(throws: Checkpoint.Problem.self, "byte \(index)") {
                    try Checkpoint(verifying: text, with: signer.verifier)
                }
            }
        }
    }

    @Test func anotherKeyOfTheSameNameIsNotTheKey() throws {
        let checkpoint = try Checkpoint(origin: Self.name, size: 8, root: Self.root)
        let note = try checkpoint.signed(by: try Self.signer(8)).description
        let verifier = try Self.signer(7).verifier
        #expect(throws: Checkpoint.Problem.note(.unknownKey)) {
            try Checkpoint(verifying: note, with: verifier)
        }
    }

    @Test(arguments: [
        ("", Checkpoint.Problem.tooFewLines), ("o\n1\n", .tooFewLines), ("o\n1\nROOT", .tooFewLines),
        ("\n1\nROOT\n", .badOrigin), ("o\n01\nROOT\n", .badSize), ("o\n-1\nROOT\n", .badSize),
        ("o\n+1\nROOT\n", .badSize), ("o\n 1\nROOT\n", .badSize),
        ("o\n9223372036854775808\nROOT\n", .badSize),
        ("o\n１\nROOT\n", .badSize), ("o\n\nROOT\n", .badSize), ("o\n1\nAAAA\n", .badRoot),
        ("o\n1\n\n", .badRoot),
        ("o\n1\nROOT \n", .badRoot), ("o\n1\nROOT\n\n", .badExtension),
        ("o\n1\nROOT\nx\n\ny\n", .badExtension),
        ("o\r\n1\r\nROOT\r\n", .badSize),
    ])
    func aTextThatIsNotACheckpointIsRefused(text: String, problem: Checkpoint.Problem) {
        let text = text.replacing("ROOT", with: Self.root.base64)
        #expect(throws: problem) { try Checkpoint(text: text) }
    }

    @Test func whatItsTextCouldNotHoldCannotBeBuilt() {
        #expect(throws: Checkpoint.Problem.badOrigin) { try Checkpoint(origin: "", size: 0, root: Self.root) }
        #expect(throws: Checkpoint.Problem.badOrigin) {
            try Checkpoint(origin: "a\nb", size: 0, root: Self.root)
        }
        #expect(throws: Checkpoint.Problem.badSize) { try Checkpoint(origin: "a", size: -1, root: Self.root) }
        #expect(throws: Checkpoint.Problem.badExtension) {
            try Checkpoint(origin: "a", size: 0, root: Self.root, extensions: [""])
        }
    }
}

@Suite struct SignedNoteTests {
    /// The example of Go's golang.org/x/mod/sumdb/note, whose format C2SP
    /// wrote down.
    static let text = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        """
    static let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let signature =
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        + "KvqfqdngotpRZb6KE6RyyBwJnAM="

    @Test func thePublishedExampleVerifies() throws {
        let verifier = try #require(NoteVerifier(Self.key))
        #expect(verifier.name == "PeterNeumann")
        #expect(verifier.keyHash == 0xc74f_20a3)
        #expect(verifier.description == Self.key)
        let note = try SignedNote(parsing: "\(Self.text)\n\(Self.signature)\n".utf8)
        #expect(note.text == Self.text)
        try note.verify(with: verifier)
        #expect(note.description == "\(Self.text)\n\(Self.signature)\n")
    }

    @Test func thePublishedKeySignsThePublishedSignature() throws {
        let secret = try #require(Data(base64Encoded: "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"))
        let signer = try #require(NoteSigner(name: "PeterNeumann", seed: Array(secret.dropFirst())))
        #expect(signer.verifier.description == Self.key)
        let note = try SignedNote(text: Self.text, signer: signer)
        #expect(note.description == "\(Self.text)\n\(Self.signature)\n")
        #expect(!"\(signer)".contains("AYEKFA"))
    }

    @Test func signaturesOfOthersAreIgnoredAndAFalseOneIsNot() throws {
        let verifier = try #require(NoteVerifier(Self.key))
        let other = "— Other AAAAAQEBAQ=="
        try SignedNote(parsing: "\(Self.text)\n\(other)\n\(Self.signature)\n".utf8).verify(with: verifier)
        let forged = "— PeterNeumann x08gowEBAQE="
        let note = try SignedNote(parsing: "\(Self.text)\n\(Self.signature)\n\(forged)\n".utf8)
        #expect(throws: SignedNote.Problem.badSignature) { try note.verify(with: verifier) }
        let foreign = try SignedNote(parsing: "\(Self.text)\n\(other)\n".utf8)
        #expect(throws: SignedNote.Problem.unknownKey) { try foreign.verify(with: verifier) }
    }

    @Test(arguments: [
        ("", SignedNote.Problem.unsigned), ("text\n", .unsigned), ("text\n\n", .unsigned),
        ("text\n\nSIG", .unsigned),
        ("text\nSIG\n", .unsigned), ("text\n\nx\n", .badSignatureLine), ("text\n\nSIG\n\n", .unsigned),
        ("text\n\n- PeterNeumann AAAAAQEBAQ==\n", .badSignatureLine),
        ("text\n\n—  AAAAAQEBAQ==\n", .badSignatureLine), ("text\n\n— a+b AAAAAQEBAQ==\n", .badSignatureLine),
        ("text\n\n— a AAAAAQEBAQ\n", .badSignatureLine), ("text\n\n— a AAAAAA==\n", .badSignatureLine),
        ("text\n\n— a AAAAAQEBAR==\n", .badSignatureLine), ("text\n\n— a AAAAAQEBAQ== \n", .badSignatureLine),
        ("text\r\n\r\nSIG\r\n", .badCharacter), ("te\u{0}xt\n\nSIG\n", .badCharacter),
        ("te\txt\n\nSIG\n", .badCharacter),
    ])
    func aTextThatIsNotANoteIsRefused(text: String, problem: SignedNote.Problem) {
        let text = text.replacing("SIG", with: Self.signature)
        #expect(throws: problem) { try SignedNote(parsing: text.utf8) }
    }

    @Test func bytesThatAreNotTextAndFloodsAreRefused() throws {
        let valid = Array("\(Self.text)\n\(Self.signature)\n".utf8)
        #expect(throws: SignedNote.Problem.badCharacter) { try SignedNote(parsing: [0xFF] + valid) }
        let flood = "x\n\n" + String(repeating: "— a AAAAAQEBAQ==\n", count: 101)
        #expect(throws: SignedNote.Problem.tooManySignatures) { try SignedNote(parsing: flood.utf8) }
        let long = [UInt8](repeating: 0x61, count: SignedNote.maximumByteCount)
        #expect(throws: SignedNote.Problem.tooLong) { try SignedNote(parsing: long + valid) }
        let signer = try #require(NoteSigner(name: "k"))
        #expect(throws: SignedNote.Problem.badCharacter) {
            try SignedNote(text: "no newline", signer: signer)
        }
        #expect(throws: SignedNote.Problem.badCharacter) { try SignedNote(text: "a\tb\n", signer: signer) }
    }

    @Test func theTextMayHoldEmptyLines() throws {
        let signer = try #require(NoteSigner(name: "k"))
        let note = try SignedNote(text: "a\n\nb\n", signer: signer)
        let again = try SignedNote(parsing: note.description.utf8)
        #expect(again == note)
        try again.verify(with: signer.verifier)
    }

    @Test(arguments: [
        "", "PeterNeumann", "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
    ])
    func aVerifierKeyThatDoesNotAddUpIsRefused(text: String) {
        #expect(NoteVerifier(text) == nil)
    }

    @Test func aKeyNeedsANameOfOneWord() {
        let seed = [UInt8](repeating: 1, count: 32)
        #expect(NoteSigner(name: "a b", seed: seed) == nil)
        #expect(NoteSigner(name: "a+b", seed: seed) == nil)
        #expect(NoteSigner(name: "", seed: seed) == nil)
        #expect(NoteSigner(name: "a", seed: Array(seed.dropLast())) == nil)
        #expect(NoteSigner(name: "a", seed: seed)?.seed == seed)
    }
}
