import Features
import Testing

@Suite struct StripeSignatureTests {
    // Recorded with WebhookSignature of Stripe's Python library 14.2.0.
    static let secret = "whsec_test_0123456789abcdefABCDEF"
    static let body = #"{"id":"evt_1","object":"event","note":"café \#u{2028} 😀","amount":12.50}"#
    static let time: Int64 = 1_700_000_000
    static let good = "c5020a0ec4b8c1636044ca262cec9780f53b760754f99192669ab6c5871165cf"
    static let byOtherSecret = "10e99b52181a1de3cf9e766dd22dd57cfce1e265fb044c81b8aac5527b279ba5"
    static let ofEmptyBody = "726cc66ca7587b2c43a771a9b775bebf0333997951370f5c7a3d23747171af85"
    static let bad = String(repeating: "0", count: 64)

    static func verify(
        _ header: String?, body: String = body, secrets: [String] = [secret],
        milliseconds: Int64 = time * 1000
    ) throws(SignatureProblem) {
        try StripeSignature.verify(
            header: header, body: Array(body.utf8), secrets: secrets, nowMilliseconds: milliseconds)
    }

    @Test(arguments: [
        "t=1700000000,v1=GOOD", "v1=GOOD,t=1700000000", "t=1700000000,v1=BAD,v1=GOOD",
        "t=1700000000,v1=GOOD,v1=BAD",
        "t=1700000000,v1=GOOD,v0=BAD", "t=1700000000,v0=BAD,v1=GOOD", "t=1700000000,v1=GOOD,",
        "t=1700000000,x,v1=GOOD", "t=1700000000,t=1700000001,v1=GOOD", "t=1700000000,v1=nonsense,v1=GOOD",
    ])
    func whatStripesLibraryAcceptsIsAccepted(header: String) throws {
        try Self.verify(Self.filled(header))
    }

    @Test(arguments: [
        ("t=1700000000,v0=GOOD", SignatureProblem.malformed), ("t=1700000000, v1=GOOD", .malformed),
        ("t=1700000000,v1= GOOD", .mismatch), ("t=1700000000,v1=UPPER", .mismatch),
        ("t=1700000000,v1=GOOD0", .mismatch),
        ("t=1700000000,v1=", .mismatch), ("t=1700000000,v1", .malformed), ("t=1700000000", .malformed),
        ("v1=GOOD", .malformed), ("t=,v1=GOOD", .malformed), ("t=abc,v1=GOOD", .malformed),
        ("t=-1700000000,v1=GOOD", .malformed), ("t=1700000000.0,v1=GOOD", .malformed),
        ("garbage", .malformed),
        (",", .malformed), ("t=1700000001,t=1700000000,v1=GOOD", .mismatch),
        ("T=1700000000,V1=GOOD", .malformed),
        ("t=1700000000,v1=OTHER", .mismatch), ("t=1700000001,v1=GOOD", .mismatch),
    ])
    func whatStripesLibraryRefusesIsRefused(header: String, problem: SignatureProblem) {
        #expect(throws: problem) { try Self.verify(Self.filled(header)) }
    }

    @Test(arguments: ["t=+1700000000,v1=GOOD", "t=01700000000,v1=GOOD", "t= 1700000000,v1=GOOD"])
    func aSecondSpellingOfTheTimeIsRefused(header: String) {
        #expect(throws: SignatureProblem.malformed) { try Self.verify(Self.filled(header)) }
    }

    @Test func anAbsentHeaderAndAbsentSecretsAreToldApart() {
        #expect(throws: SignatureProblem.missing) { try Self.verify(nil) }
        #expect(throws: SignatureProblem.missing) { try Self.verify("") }
        #expect(throws: SignatureProblem.notConfigured) {
            try Self.verify(Self.filled("t=1,v1=GOOD"), secrets: [])
        }
        #expect(throws: SignatureProblem.notConfigured) { try Self.verify(nil, secrets: [""]) }
    }

    @Test(
        arguments: [
            (Int64(0), nil), (300_000, nil), (300_001, SignatureProblem.tooOld), (-300_000, nil),
            (-300_001, .tooNew), (31_536_000_000, .tooOld),
        ] as [(Int64, SignatureProblem?)])
    func exactlyTheToleranceStillPassesBothWays(age: Int64, problem: SignatureProblem?) {
        let header = Self.filled("t=1700000000,v1=GOOD")
        let now = Self.time * 1000 + age
        if let problem {
            #expect(throws: problem) { try Self.verify(header, milliseconds: now) }
        } else {
            #expect(throws: Never.self) { try Self.verify(header, milliseconds: now) }
        }
    }

    @Test func aForgedOldRequestIsAMismatchAndNothingElse() {
        #expect(throws: SignatureProblem.mismatch) {
            try Self.verify(Self.filled("t=1700000000,v1=BAD"), milliseconds: Self.time * 1000 + 900_000)
        }
    }

    @Test func anyOfSeveralSecretsMayHaveSigned() throws {
        let header = Self.filled("t=1700000000,v1=OTHER")
        try Self.verify(header, secrets: [Self.secret, "", "whsec_other"])
        #expect(throws: SignatureProblem.mismatch) {
            try Self.verify(header, secrets: [Self.secret, "whsec_othe"])
        }
    }

    @Test func everyChangedByteOfTheBodyIsNoticed() throws {
        let header = Self.filled("t=1700000000,v1=GOOD")
        let body = Array(Self.body.utf8)
        for index in body.indices {
            var changed = body
            changed[index] ^= 1
            #expect(throws: SignatureProblem.mismatch, "byte \(index)") {
                try StripeSignature.verify(
                    header: header, body: changed, secrets: [Self.secret], nowMilliseconds: Self.time * 1000)
            }
        }
    }

    @Test func anEmptyBodyHasASignatureToo() throws {
        try Self.verify("t=1700000000,v1=\(Self.ofEmptyBody)", body: "")
        #expect(throws: SignatureProblem.mismatch) {
            try Self.verify(Self.filled("t=1700000000,v1=GOOD"), body: "")
        }
    }

    @Test func whatIsSignedHereIsWhatStripesLibraryComputes() throws {
        let header = StripeSignature.sign(
            body: Array(Self.body.utf8), secret: Self.secret, seconds: Self.time)
        #expect(header == Self.filled("t=1700000000,v1=GOOD"))
    }

    @Test func aHeaderLongerThanAnyRealOneIsRefused() {
        let header = Self.filled("t=1700000000,v1=GOOD") + String(repeating: ",v1=\(Self.bad)", count: 100)
        #expect(throws: SignatureProblem.malformed) { try Self.verify(header) }
    }

    private static func filled(_ header: String) -> String {
        header.replacing("GOOD", with: good).replacing("BAD", with: bad).replacing(
            "OTHER", with: byOtherSecret
        )
        .replacing("UPPER", with: good.uppercased())
    }
}
