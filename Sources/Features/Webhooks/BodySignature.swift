import Crypto

/// HMAC-SHA256 over a request body, written as 64 lower-case hexadecimal
/// digits: the form Stripe and Checkr share.
enum BodySignature {
    /// The signature over `prefix` and then `body` by `secret`.
    static func code(
        prefix: String = "", over body: [UInt8], secret: String
    ) -> HashedAuthenticationCode<SHA256> {
        var hmac = HMAC<SHA256>(key: SymmetricKey(data: Array(secret.utf8)))
        hmac.update(data: Array(prefix.utf8))
        hmac.update(data: body)
        return hmac.finalize()
    }

    /// Compares in constant time, over the bytes.
    static func isEqual(_ code: HashedAuthenticationCode<SHA256>, _ signature: [UInt8]) -> Bool {
        code == signature
    }

    /// The signature as text.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The 32 bytes of a signature; nil for any other count, and for
    /// upper-case digits, which neither sender uses.
    static func bytes(hex: some Collection<UInt8>) -> [UInt8]? {
        guard hex.count == 2 * SHA256.byteCount else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in hex {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}
