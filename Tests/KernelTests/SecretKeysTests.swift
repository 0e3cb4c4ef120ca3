import Kernel
import Testing

@Suite struct SecretKeysTests {
    static let first = [UInt8](repeating: 1, count: 32)
    static let second = [UInt8](repeating: 2, count: 32)

    @Test func aSealedSecretOpensForItsPurposeOnly() throws {
        let keys = try SecretKeys(current: 1, roots: [1: Self.first])
        let sealed = try keys.seal([1, 2, 3], purpose: "totp/a")
        #expect(sealed.hasPrefix("v1."))
        #expect(try keys.open(sealed, purpose: "totp/a") == [1, 2, 3])
        #expect(try keys.seal([1, 2, 3], purpose: "totp/a") != sealed, "the nonce is new")
        #expect(throws: Failure.self) { try keys.open(sealed, purpose: "totp/b") }
        let other = try SecretKeys(current: 1, roots: [1: Self.second])
        #expect(throws: Failure.self) { try other.open(sealed, purpose: "totp/a") }
    }

    @Test func everyChangedCharacterIsNoticed() throws {
        let keys = try SecretKeys(current: 1, roots: [1: Self.first])
        let sealed = try keys.seal(Array("secret".utf8), purpose: "p")
        for index in sealed.indices {
            var changed = sealed
            changed.replaceSubrange(index...index, with: sealed[index] == "A" ? "B" : "A")
            #expect(throws: Failure.self, "at \(index)") { try keys.open(changed, purpose: "p") }
        }
    }

    @Test func anOlderVersionStillOpensAndTheNewOneSeals() throws {
        let old = try SecretKeys(current: 1, roots: [1: Self.first])
        let both = try SecretKeys(current: 2, roots: [1: Self.first, 2: Self.second])
        let new = try SecretKeys(current: 2, roots: [2: Self.second])
        let sealed = try old.seal([9], purpose: "p")
        #expect(try both.open(sealed, purpose: "p") == [9])
        #expect(throws: Failure.self) { try new.open(sealed, purpose: "p") }
        #expect(try both.seal([9], purpose: "p").hasPrefix("v2."))
        #expect(both.verifying("p").map(\.name) == ["v2", "v1"])
        #expect(both.signing("p")?.key == new.signing("p")?.key)
        #expect(both.verifying("p").last?.key == old.signing("p")?.key)
        #expect(both.signing("p")?.key != both.signing("q")?.key)
    }

    @Test func aVersionWithoutARootIsRefused() {
        #expect(throws: Failure.self) { try SecretKeys(current: 2, roots: [1: Self.first]) }
        #expect(throws: Failure.self) { try SecretKeys(current: 1, roots: [1: [1, 2, 3]]) }
    }
}
