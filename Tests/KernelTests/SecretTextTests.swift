import JSON
import Kernel
import PlatformSupport
import Testing

@Suite struct SecretTextTests {
    static func redacted(_ text: String) -> String { Redaction.auditChanges.redacted(text: text) }

    @Test(arguments: [
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc.", "key [REDACTED]."),
        ("sk_test_abc", "[REDACTED]"),
        ("?key=rk_live_51abc%20x", "?key=[REDACTED]%20x"),
        ("a%3Dsk_live_4eC39HqLyjWDarjtT1", "a%3D[REDACTED]"),
        ("whsec_MfKQ9r8G/YqYTwjUPD8ILP+Zx==", "[REDACTED]"),
        ("(xaat-12345678-abcd-4321-aaaa-0123456789ab)", "([REDACTED])"),
        ("glsa_abcDEF0123_89ab and more", "[REDACTED] and more"),
        ("Authorization: Bearer abc.def-123~x+y/z==", "Authorization: Bearer [REDACTED]"),
        ("bearer  abcdefghijklmnop", "bearer  [REDACTED]"),
        ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "basic [REDACTED]"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-_x, no", "got [REDACTED], no"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[REDACTED]."),
        ("pi_3Nabc_secret_xyz9 failed", "pi_3Nabc[REDACTED] failed"),
        ("postgres://app:hunter2@db:5432/x", "postgres://[REDACTED]@db:5432/x"),
        ("https://0123abcd@sentry.example/1", "https://[REDACTED]@sentry.example/1"),
        ("redis://:p@ss:w@cache", "redis://[REDACTED]@cache"),
        ("card 4242 4242 4242 4242 declined", "card [REDACTED] declined"),
        ("4242-4242-4242-4242", "[REDACTED]"), ("378282246310005", "[REDACTED]"),
        ("no 1 5555555555554444!", "no 1 [REDACTED]!"),
        ("6011111111111117,30569309025904", "[REDACTED],[REDACTED]"),
        ("ssn 078-05-1120.", "ssn [REDACTED]."),
        (
            "x\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----\ny",
            "x\n[REDACTED]\ny"
        ),
        ("-----BEGIN PRIVATE KEY-----\nMHcCAQ", "[REDACTED]"),
        ("host=db password=hunter2 port=1", "host=db password=[REDACTED] port=1"),
        ("PGPASSWORD='a b' psql", "PGPASSWORD='[REDACTED]' psql"),
        (#"{"api_key": "a\"b", "n": 1}"#, #"{"api_key": "[REDACTED]", "n": 1}"#),
        ("/cb?client_secret=abc&state=1", "/cb?client_secret=[REDACTED]&state=1"),
        ("sk_live_abcdef_secret=foo", "[REDACTED]"),
        ("password=\"cut", "password=\"[REDACTED]"),
        ("sk_live_abcdef sk_live_ghijkl", "[REDACTED] [REDACTED]"),
        ("é sk_live_abcdef é", "é [REDACTED] é"),
    ])
    func aSecretWithAShapeIsTakenOut(text: String, expected: String) {
        #expect(Self.redacted(text) == expected)
        #expect(Self.redacted(expected) == expected)
        let value: JSONValue = .object(["note_to_self": .array([.string(text)])])
        #expect(Redaction.auditChanges.redacted(value)["note_to_self"]?[0] == .string(expected))
    }

    @Test(arguments: [
        "pi_3Nabc", "ch_3NabcDEF", "re_3Nabc", "tok_1abc", "pk_live_abcdefghij", "risk_test_mode_enabled",
        "sk_live_",
        "task_test_x", "bearer token missing", "Basic plan", "4242 4242 4242 4241", "1732312312345",
        "+12125550100",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV", "2026-11-22 10:00:00", "2026-11-22T10:00:00.123456Z", "1700000000",
        "4242424242424242a", "id_4242424242424242", "078-05-11200", "1078-05-1120", "212-555-0100",
        "https://example.com/a@b", "http://example.com:8080/x", "mail ada@example.com",
        "eyJ is how one starts",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "stripe_webhook_secret_missing",
        "0192f0c1-7e5b-7c3a-9b1e-4242424242aa", "", "short",
        "password: must be longer", "password=", "\"password\": null", "secrets=3", "passwords are fine",
        "password=[REDACTED]",
    ])
    func everythingElseIsLeftAlone(text: String) {
        #expect(Self.redacted(text) == text)
    }

    @Test func aSecretInsideAKeyIsTakenOut() {
        let value: JSONValue = ["sk_live_abcdefgh": 1]
        #expect(Redaction.auditChanges.redacted(value) == ["[REDACTED]": 1])
    }

    @Test func aSecretInAnySurroundingsNeverSurvives() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        let noise = Array(" \n\t:=\"'(){}[],;<>|&%$!?é😀/\\")
        let starts = [
            "sk_live_", "sk_test_", "rk_live_", "whsec_", "xaat-", "glsa_", "Bearer ", "ghp_", "itk_",
        ]
        for round in 0..<2_000 {
            let body = String((0..<24).map { _ in letters.randomElement(using: &random) ?? "a" })
            let start = starts.randomElement(using: &random) ?? "sk_live_"
            var text = start + body
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                text = String(noise.randomElement(using: &random) ?? " ") + text
                text.append(noise.randomElement(using: &random) ?? " ")
            }
            #expect(
                !Self.redacted(text).contains(body), "seed \(seed), round \(round), \(text.debugDescription)")
        }
    }

    @Test func everyLuhnNumberOfAKnownNetworkIsFoundAndItsNeighbourIsNot() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        for start in ["4", "51", "2221", "6011"] {
            for _ in 0..<100 {
                let digits =
                    start
                    + (0..<(15 - start.count)).map { _ in "\(Int.random(in: 0...9, using: &random))" }
                    .joined()
                let check = Self.luhnDigit(after: digits)
                #expect(Self.redacted("n \(digits)\(check)") == "n [REDACTED]", "seed \(seed)")
                let wrong = "n \(digits)\((check + 1) % 10)"
                #expect(Self.redacted(wrong) == wrong, "seed \(seed)")
            }
        }
    }

    private static func luhnDigit(after digits: String) -> Int {
        var sum = 0
        for (offset, digit) in digits.reversed().compactMap(\.wholeNumberValue).enumerated() {
            let value = offset.isMultiple(of: 2) ? digit * 2 : digit
            sum += value / 10 + value % 10
        }
        return (10 - sum % 10) % 10
    }
}
