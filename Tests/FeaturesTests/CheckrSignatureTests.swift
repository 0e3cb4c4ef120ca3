import Features
import Testing

@Suite struct CheckrSignatureTests {
    // Recorded with Python's hmac module.
    static let key = "checkr-test-key-1"
    static let body = Array(#"{"id":"5e0d","object":"event","type":"report.completed"}"#.utf8)
    static let good = "db9c3268ffb69bce4c6d515be8b4b34c0e9ea2f6f9656e9bca168b67b912507b"

    @Test func aSignatureByTheKeyPassesWithAndWithoutThePrefix() throws {
        try CheckrSignature.verify(header: Self.good, body: Self.body, apiKey: Self.key)
        try CheckrSignature.verify(header: "sha256=" + Self.good, body: Self.body, apiKey: Self.key)
        #expect(CheckrSignature.sign(body: Self.body, apiKey: Self.key) == Self.good)
    }

    @Test func anotherKeyOrAnotherBodyIsAMismatch() {
        #expect(throws: SignatureProblem.mismatch) {
            try CheckrSignature.verify(header: Self.good, body: Self.body, apiKey: Self.key + "x")
        }
        for index in Self.body.indices {
            var changed = Self.body
            changed[index] ^= 1
            #expect(throws: SignatureProblem.mismatch, "byte \(index)") {
                try CheckrSignature.verify(header: Self.good, body: changed, apiKey: Self.key)
            }
        }
    }

    @Test(arguments: [
        "sha256=", "sha1=" + good, "sha256=sha256=" + good, good + "00", String(good.dropLast()),
        good.uppercased(),
        " " + good, "x-checkr-signature", String(repeating: "g", count: 64),
    ])
    func aHeaderOfAnotherFormIsRefused(header: String) {
        #expect(throws: SignatureProblem.malformed) {
            try CheckrSignature.verify(header: header, body: Self.body, apiKey: Self.key)
        }
    }

    @Test func anAbsentHeaderAndAnAbsentKeyAreToldApart() {
        #expect(throws: SignatureProblem.missing) {
            try CheckrSignature.verify(header: nil, body: Self.body, apiKey: Self.key)
        }
        #expect(throws: SignatureProblem.notConfigured) {
            try CheckrSignature.verify(header: Self.good, body: Self.body, apiKey: "")
        }
    }
}

@Suite struct BasicCredentialsTests {
    static let expected = BasicCredentials(user: "Aladdin", password: "open sesame")

    @Test func theExampleOfTheRFCIsReadAndWritten() throws {
        let header = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        #expect(Self.expected.header == header)
        let credentials = try #require(BasicCredentials(header: header))
        #expect(credentials.matches(Self.expected))
        #expect(
            try #require(BasicCredentials(header: "bASIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ==")).matches(
                Self.expected))
    }

    @Test func aPasswordMayHoldColonsAndAccents() throws {
        let credentials = BasicCredentials(user: "u", password: "a:b:é")
        let read = try #require(BasicCredentials(header: credentials.header))
        #expect(read.matches(credentials))
        #expect(!read.matches(BasicCredentials(user: "u:a", password: "b:é")))
    }

    @Test(arguments: [
        ("Aladdin", "open sesam"), ("Aladdi", "open sesame"), ("", ""), ("Aladdin", ""),
        ("open sesame", "Aladdin"),
    ])
    func anythingElseDoesNotMatch(user: String, password: String) {
        #expect(!BasicCredentials(user: user, password: password).matches(Self.expected))
    }

    @Test func nothingMatchesCredentialsThatAreNotConfigured() {
        let none = BasicCredentials(user: "", password: "")
        #expect(!none.matches(none))
    }

    @Test(arguments: [
        nil, "", "Basic", "Basic ", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbg==", "Basic !!!",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x",
    ])
    func aMalformedHeaderHasNoCredentials(header: String?) {
        #expect(BasicCredentials(header: header) == nil)
    }

    @Test func theyPrintNothing() {
        var dumped = ""
        dump(Self.expected, to: &dumped)
        for text in ["\(Self.expected)", String(reflecting: Self.expected), dumped] {
            #expect(!text.contains("Aladdin") && !text.contains("sesame") && !text.contains("65"))
        }
    }
}
