import Crypto
import Kernel
import Storage

/// Time-based one-time passwords: RFC 6238 with SHA-1, 6 digits and steps of 30
/// seconds, which is all that authenticator apps agree on.
struct TOTP: Sendable {
    /// RFC 4226 §4 recommends 160 bits.
    static let secretBytes = 20
    static let digits = 6
    static let period: Int64 = 30

    let secret: [UInt8]

    init(secret: [UInt8]) { self.secret = secret }

    static func random() -> TOTP {
        var generator = SystemRandomNumberGenerator()
        return TOTP(secret: (0..<secretBytes).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// The number of the step that a moment lies in.
    static func step(at moment: Instant) -> Int64 { moment.microseconds / 1_000_000 / period }

    /// The code of a step (RFC 4226 §5.3), of ``digits`` digits unless said otherwise.
    func code(step: Int64, digits: Int = digits) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> Int64(56 - 8 * $0)) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[19] & 15)
        let number = mac[offset..<offset + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(1 as UInt32) { product, _ in product * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step whose code it is, within `window` steps of the moment; nil when it is
    /// none of theirs. All of them are compared, whichever it is.
    func step(of code: String, at moment: Instant, window: Int) -> Int64? {
        let now = Self.step(at: moment)
        let code = code.filter { !$0.isWhitespace }
        return ((now - Int64(window))...(now + Int64(window))).reduce(nil as Int64?) { found, step in
            Secrets.isEqual(self.code(step: step), code) ? step : found
        }
    }

    /// The secret as it is typed into an app.
    var text: String { Base32.text(secret) }

    /// What an app reads from a QR code (Key URI Format of Google Authenticator).
    func url(account: String, issuer: String) -> String {
        let (issuer, account) = (Self.escaped(issuer), Self.escaped(account))
        return "otpauth://totp/\(issuer):\(account)?secret=\(text)&issuer=\(issuer)&algorithm=SHA1"
            + "&digits=\(Self.digits)&period=\(Self.period)"
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
