/// The signature in the `Stripe-Signature` header of a webhook:
/// `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`.
///
/// A `v1` value is HMAC-SHA256 over the time as written in the header, a dot
/// and the raw body, keyed with the whole `whsec_…` text. Other schemes
/// (`v0`) are ignored. Agrees with Stripe's own library, recorded in the
/// tests, except that this also refuses times too far in the future, times
/// not written in plain decimal and signatures with something after them.
///
/// Source: docs.stripe.com/webhooks, "Verify webhook signatures manually";
/// integrations specification §e.
package enum StripeSignature {
    /// How far the time may be from now, both ways; exactly this far passes.
    package static let defaultTolerance = Duration.seconds(300)
    /// The most characters a header may have. Stripe's have under 300.
    static let maximumHeaderLength = 4096

    /// Throws unless one of the signatures is by one of the secrets and its
    /// time is close to now. Returns the time, in seconds since 1970.
    ///
    /// - Parameters:
    ///   - header: The header's value; nil if it is absent.
    ///   - body: The bytes as received, before any parsing.
    ///   - secrets: Every secret that may have signed: each endpoint has its
    ///     own, and one being rotated has two. Empty ones do not count.
    ///   - nowMilliseconds: The present, in milliseconds since 1970.
    @discardableResult
    package static func verify(
        header: String?, body: [UInt8], secrets: [String], nowMilliseconds: Int64,
        tolerance: Duration = defaultTolerance
    ) throws(SignatureProblem) -> Int64 {
        let secrets = secrets.filter { !$0.isEmpty }
        guard !secrets.isEmpty else { throw .notConfigured }
        guard let header, !header.isEmpty else { throw .missing }
        let parsed = try Parsed(header)
        // Every secret is tried against every signature, with no early way
        // out, so that the time taken tells nothing about which one matched.
        var matches = false
        for secret in secrets {
            let code = BodySignature.code(prefix: "\(parsed.seconds).", over: body, secret: secret)
            for signature in parsed.signatures where BodySignature.isEqual(code, signature) { matches = true }
        }
        guard matches else { throw .mismatch }
        let age = Duration.milliseconds(nowMilliseconds) - .seconds(parsed.seconds)
        guard age <= tolerance else { throw .tooOld }
        guard age >= .zero - tolerance else { throw .tooNew }
        return parsed.seconds
    }

    /// The header Stripe would send: for the sandbox, the demo and tests.
    package static func sign(body: [UInt8], secret: String, seconds: Int64) -> String {
        let code = BodySignature.code(prefix: "\(seconds).", over: body, secret: secret)
        return "t=\(seconds),v1=\(BodySignature.hex(code))"
    }

    /// What the header says.
    private struct Parsed {
        var seconds: Int64
        var signatures: [[UInt8]]

        init(_ header: String) throws(SignatureProblem) {
            guard header.utf8.count <= StripeSignature.maximumHeaderLength else { throw .malformed }
            var seconds: Int64?
            var signatures: [[UInt8]] = []
            var hasSignature = false
            for item in header.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                let pair = item.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(Substring(pair[0]))
                guard name == "t" || name == "v1" else { continue }
                guard pair.count == 2 else { throw .malformed }
                if name == "v1" {
                    hasSignature = true
                    if let signature = BodySignature.bytes(hex: pair[1]) { signatures.append(signature) }
                } else if seconds == nil {
                    seconds = Self.seconds(String(Substring(pair[1])))
                    guard seconds != nil else { throw .malformed }
                }
            }
            guard let seconds, hasSignature else { throw .malformed }
            self.seconds = seconds
            self.signatures = signatures
        }

        /// Plain decimal only: what is signed is the number, so a second
        /// spelling of it would be a second valid header.
        private static func seconds(_ text: String) -> Int64? {
            guard text.utf8.count <= 12, let value = Int64(text), value >= 0, String(value) == text else {
                return nil
            }
            return value
        }
    }
}
