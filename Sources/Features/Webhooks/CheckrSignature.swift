/// The signature in the `X-Checkr-Signature` header of a webhook:
/// HMAC-SHA256 over the raw body, keyed with the account's API key, in
/// lower-case hexadecimal.
///
/// There is no time in it, so an old request stays valid for ever: whoever
/// accepts it must remember the event's id.
///
/// Source: docs.checkr.com, "Securing webhooks"; integrations specification
/// §f; the `sha256=` in front is tolerated as in the domain specification
/// §5.2.
package enum CheckrSignature {
    private static let prefix = "sha256="

    /// Throws unless the signature is by the key and over these bytes.
    ///
    /// - Parameters:
    ///   - header: The header's value; nil if it is absent.
    ///   - body: The bytes as received, before any parsing.
    package static func verify(header: String?, body: [UInt8], apiKey: String) throws(SignatureProblem) {
        guard !apiKey.isEmpty else { throw .notConfigured }
        guard let header, !header.isEmpty else { throw .missing }
        let digits = header.hasPrefix(prefix) ? header.dropFirst(prefix.count) : header[...]
        guard let signature = BodySignature.bytes(hex: digits.utf8) else { throw .malformed }
        guard BodySignature.isEqual(BodySignature.code(over: body, secret: apiKey), signature) else {
            throw .mismatch
        }
    }

    /// The header Checkr would send: for the sandbox, the demo and tests.
    package static func sign(body: [UInt8], apiKey: String) -> String {
        BodySignature.hex(BodySignature.code(over: body, secret: apiKey))
    }
}
