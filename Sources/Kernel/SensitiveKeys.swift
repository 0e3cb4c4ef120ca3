/// Which member names mean that a value must not be stored.
///
/// Names are judged in the form ``normalized(_:)`` gives them.
struct SensitiveKeys: Sendable {
    /// What to do with a member's value.
    enum Verdict: Sendable, Hashable {
        case keep, remove, removeAddress
    }

    /// Whole names that are kept although a rule below would remove them.
    var kept: Set<String> = []
    /// Whole names that are removed.
    var exact: Set<String> = []
    /// Starts of names that are removed.
    var prefixes: [String] = []
    /// Ends of names that are removed.
    var suffixes: [String] = []
    /// Words that are removed wherever they stand in a name.
    var words: Set<String> = []
    /// Names of objects that are removed except for a country.
    var addresses: Set<String> = []
    /// Names of objects with free-form keys, where only what is known to be
    /// harmless is kept.
    var metadata: Set<String> = []

    func isMetadata(_ key: String) -> Bool { metadata.contains(key) }

    func judge(_ key: String, isMetadata: Bool) -> Verdict {
        if kept.contains(key) { return .keep }
        if addresses.contains(key) { return .removeAddress }
        if exact.contains(key) || prefixes.contains(where: key.hasPrefix)
            || suffixes.contains(where: key.hasSuffix)
            || key.split(separator: "_").contains(where: { words.contains(String($0)) })
        {
            return .remove
        }
        return isMetadata && !Self.isHarmlessMetadata(key) ? .remove : .keep
    }

    /// The name in lower snake case: `clientSecret`, `Client-Secret` and
    /// `APIKey` become `client_secret`, `client_secret` and `api_key`.
    static func normalized(_ name: String) -> String {
        let bytes = Array(name.utf8)
        if bytes.allSatisfy({ $0.isASCIILower || $0.isASCIIDigit || $0 == UInt8(ascii: "_") }) { return name }
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            guard byte.isASCIILetterOrDigit || byte >= 0x80 else {
                if !result.isEmpty, result.last != UInt8(ascii: "_") { result.append(UInt8(ascii: "_")) }
                continue
            }
            if byte.isASCIIUpper, index > 0, bytes[index - 1].isASCIILetterOrDigit {
                let endsRun = index + 1 < bytes.count && bytes[index + 1].isASCIILower
                if !bytes[index - 1].isASCIIUpper || endsRun { result.append(UInt8(ascii: "_")) }
            }
            result.append(byte.isASCIIUpper ? byte | 0x20 : byte)
        }
        if result.last == UInt8(ascii: "_") { result.removeLast() }
        return String(decoding: result, as: UTF8.self)
    }

    /// Keys of free-form metadata that hold references and facts, never a
    /// person's words.
    private static func isHarmlessMetadata(_ key: String) -> Bool {
        let names: Set = [
            "id", "type", "kind", "status", "currency", "country", "amount", "env", "environment", "reason",
        ]
        let ends = [
            "_id", "_ids", "_type", "_status", "_cents", "_amount", "_currency", "_at", "_count", "_version",
        ]
        return names.contains(key) || ends.contains(where: key.hasSuffix)
    }
}

extension SensitiveKeys {
    /// Always secret, in both profiles.
    private static let secrets = SensitiveKeys(
        exact: [
            "password", "current_password", "new_password", "hashed_password", "password_hash", "passphrase",
            "passcode", "pin", "totp_secret", "backup_codes", "recovery_codes", "two_factor_secret",
            "one_time_password", "otp", "otp_code", "totp_code", "client_secret", "access_token",
            "refresh_token",
            "id_token", "token", "tokens", "api_key", "apikey", "private_key", "signing_key",
            "encryption_key",
            "authorization", "proxy_authorization", "cookie", "cookies", "set_cookie", "signature", "jwt",
            "bearer",
            "seed_phrase", "cvc", "cvv", "ssn", "social_security_number",
        ],
        suffixes: [
            "_token", "_tokens", "_secret", "_client_secret", "_api_key", "_apikey", "_private_key",
            "_signature",
            "_ssn", "_otp", "_authorization", "_cookie",
        ],
        words: [
            "password", "passwords", "passwd", "pwd", "secret", "secrets", "credential", "credentials", "ssn",
        ])

    /// Domain specification §6.4, with its additions.
    static let auditChanges: SensitiveKeys = {
        var keys = secrets
        keys.kept = [
            "payment_status", "payment_intent", "payment_intent_id", "payment_method", "payment_method_id",
            "payment_method_type", "payment_method_types", "payment_id", "payment_ids", "payment_type",
            "payment_event_id", "payment_intent_status", "card_id",
        ]
        keys.exact.formUnion([
            "email", "phone", "phone_number", "student_note", "instructor_note", "meeting_location",
            "location_address", "location_lat", "location_lng", "date_of_birth", "dob", "message",
            "message_content",
            "message_body", "content", "body", "username", "first_name", "last_name", "full_name",
            "recipient_name", "zip_code", "postal_code", "street_line1", "street_line2", "custom_label",
            "bio",
            "note", "notes", "recipients", "emails", "review_text", "response_text", "search_query", "code",
        ])
        keys.prefixes = ["payment_", "card_", "bank_account", "stripe_"]
        keys.suffixes += ["_email", "_phone", "_phone_number", "_dob", "_date_of_birth", "_note"]
        return keys
    }()

    /// What Stripe and Checkr send, by the names in their API references.
    static let webhookPayload: SensitiveKeys = {
        var keys = secrets
        keys.kept = ["attempt_number", "sequence_number", "version_number"]
        keys.exact.formUnion([
            "email", "emails", "phone", "phones", "name", "names", "maiden_name", "given_name", "surname",
            "nickname",
            "line1", "line2", "line3", "street", "street1", "street2", "street_line1", "street_line2", "town",
            "city",
            "zip", "zipcode", "zip_code", "postcode", "postal_code", "lat", "lng", "latitude", "longitude",
            "dob",
            "date_of_birth", "birth_date", "birthdate", "birthday", "year_of_birth", "driver_license",
            "drivers_license", "driver_licence", "license", "licence", "passport", "ip", "ips", "client_ip",
            "tax_id", "tax_ids", "vat_id", "tin", "ein", "itin", "id_number", "number", "iban", "bic",
            "fingerprint",
            "routing_number", "account_number", "sort_code", "mrz",
        ])
        keys.prefixes = ["driver_license_", "drivers_license_", "driver_licence_", "ip_address"]
        keys.suffixes += [
            "_email", "_phone", "_name", "_number", "_fingerprint", "_ip", "_ip_address", "_line1", "_line2",
            "_zip", "_zip_code", "_zipcode", "_postal_code", "_postcode", "_dob", "_date_of_birth", "_tax_id",
        ]
        keys.addresses = [
            "address", "addresses", "billing_address", "shipping_address", "home_address", "mailing_address",
            "registered_address", "support_address", "street_address", "address_kana", "address_kanji",
        ]
        keys.metadata = ["metadata"]
        return keys
    }()

    /// Names of headers whose values are kept; every other value is hidden.
    static let harmlessHeaders: Set<String> = [
        "content-type", "user-agent", "content-length", "date", "x-request-id", "traceparent",
        "x-checkr-delivery-id",
    ]
}
