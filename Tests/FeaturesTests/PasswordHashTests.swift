import Features
import Kernel
import Testing

@Suite struct PasswordHashTests {
    /// From the test of the reference implementation, version 0x13.
    static let known = [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ]

    @Test(arguments: known) func aKnownHashMatchesItsPasswordOnly(text: String) async throws {
        let hash = PasswordHash(stored: text)
        #expect(try await hash.matches("password"))
        #expect(try await !hash.matches("passwore"))
        #expect(hash.needsRehash, "other parameters than ours")
    }

    @Test func aNewHashHasTheParametersOfTheContract() async throws {
        let hash = try await PasswordHash.make("Correct horse 1")
        #expect(hash.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(!hash.needsRehash)
        #expect(try await hash.matches("Correct horse 1"))
        #expect(try await !hash.matches("correct horse 1"))
        #expect(try await PasswordHash.make("Correct horse 1") != hash, "the salt is new")
    }

    @Test func nobodysHashIsComputedAndMatchesNothing() async throws {
        let count = HashCount()
        let answers = try await HashCount.$current.withValue(count) {
            let empty = try await PasswordHash.nobody.matches("")
            return [empty, try await PasswordHash.nobody.matches("Correct horse 1")]
        }
        #expect(answers == [false, false])
        #expect(count.value == 2)
        #expect(!PasswordHash.nobody.needsRehash, "it takes as long as a real one")
    }

    @Test func theSamePasswordAndSaltGiveTheSameHash() async throws {
        let salt = [UInt8](repeating: 7, count: PasswordHash.saltBytes)
        let hashes = try await [PasswordHash.make("a", salt: salt), PasswordHash.make("a", salt: salt)]
        #expect(hashes[0] == hashes[1])
    }

    @Test(arguments: [
        ("Short1", false), ("Passw0rd", true), ("passw0rd", false), ("Password", false),
        ("Pässw٣rd", false), (String(repeating: "Aa1", count: 42) + "Aa", true),
        (String(repeating: "Aa1", count: 43), false), ("Jane.Doe1@example.com", false), ("JANE.DOE1", false),
    ]) func aPasswordFollowsTheRules(password: String, isGood: Bool) {
        #expect((PasswordRules.problem(password, email: "jane.doe1@Example.com") == nil) == isGood)
    }
}
