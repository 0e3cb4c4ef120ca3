import Kernel
import Storage
import Testing

@testable import Features

@Suite struct TOTPTests {
    static let totp = TOTP(secret: Array("12345678901234567890".utf8))

    /// RFC 6238, appendix B.
    @Test(
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"), (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)]) func theCodesOfTheRFCAreMade(seconds: Int64, code: String)
    {
        let moment = Instant(microseconds: seconds * 1_000_000)
        #expect(Self.totp.code(step: TOTP.step(at: moment), digits: 8) == code)
    }

    /// RFC 4226, appendix D.
    @Test func theCodesOfTheCounterAreMade() {
        let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"]
        #expect((0..<8).map { Self.totp.code(step: $0) } == codes)
    }

    @Test func aCodeOfANeighbourIsTakenWithinTheWindow() {
        let moment = Instant(microseconds: 300_000_000)
        let code = { (step: Int64) in Self.totp.code(step: step) }
        #expect(Self.totp.step(of: code(10), at: moment, window: 0) == 10)
        #expect(Self.totp.step(of: code(9), at: moment, window: 0) == nil)
        #expect(Self.totp.step(of: code(9), at: moment, window: 1) == 9)
        #expect(Self.totp.step(of: code(11), at: moment, window: 1) == 11)
        #expect(Self.totp.step(of: code(12), at: moment, window: 1) == nil)
        #expect(Self.totp.step(of: "12345", at: moment, window: 1) == nil)
        #expect(
            Self.totp.step(of: " " + code(10).prefix(3) + " " + code(10).suffix(3), at: moment, window: 0)
                == 10)
    }

    /// RFC 4648 §10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ]) func base32IsThatOfTheRFC(plain: String, text: String) {
        #expect(Base32.text(Array(plain.utf8)) == text)
    }

    @Test func theAppIsToldEverything() throws {
        let url = Self.totp.url(account: "jane+x@example.com", issuer: "Insta Instru")
        #expect(
            url
                == "otpauth://totp/Insta%20Instru:jane%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=Insta%20Instru&algorithm=SHA1&digits=6&period=30")
        let svg = try QRCode.svg(url)
        // The top row of a finder pattern: seven dark modules after the border.
        for column in 4...10 { #expect(svg.contains("M\(column) 4h1v1h-1z")) }
        #expect(!svg.contains("M11 4h1v1h-1z"))
        #expect(try QRCode.dataURL(url).hasPrefix("data:image/svg+xml;base64,PHN2Zy"))
    }

    @Test func aBackupCodeIsReadHoweverItIsTyped() throws {
        let code = BackupCode.random()
        #expect(code.count == 14 && code.split(separator: "-").count == 3)
        let normal = try #require(BackupCode.normalized(code))
        #expect(normal.count == 12)
        #expect(BackupCode.normalized(" " + code.lowercased() + " ") == normal)
        #expect(BackupCode.normalized(normal) == normal)
        #expect(BackupCode.normalized("AAAA-AAAA-AAA0") == nil, "no 0, 1, I or O")
        #expect(BackupCode.normalized("AAAA-AAAA") == nil)
        #expect(Set((0..<50).map { _ in BackupCode.random() }).count == 50)
    }
}
