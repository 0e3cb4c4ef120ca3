import JSON
import Kernel
import PlatformSupport
import Testing

@Suite struct RedactionByKeyTests {
    static let audit = Redaction.auditChanges
    static let webhook = Redaction.webhookPayload

    /// Domain specification §6.4, and its additions.
    @Test(arguments: [
        "email", "phone", "phone_number", "password", "current_password", "new_password", "hashed_password",
        "totp_secret", "backup_codes", "two_factor_secret", "one_time_password", "otp", "client_secret",
        "access_token", "refresh_token", "ssn", "social_security_number", "student_note", "instructor_note",
        "meeting_location", "payment_source", "card_number", "bank_account_last4", "stripe_customer",
        "session_token",
        "webhook_secret", "x_client_secret", "sendgrid_api_key", "location_address", "location_lat",
        "location_lng",
        "date_of_birth", "dob", "message_content", "Password", "clientSecret", "Client-Secret", "APIKey",
        "sendgridAPIKey", "api key", "passwordHash", "HTTPPassword", "reset.token", "_secret", "user_email",
    ])
    func aSensitiveMemberOfAChangeIsHidden(key: String) {
        let nested: JSONValue = ["rows": [["deep": [.init(stringLiteral: key): "hunter2"]]]]
        #expect(!Self.audit.redacted(nested).text.contains("hunter2"))
        #expect(Self.audit.redacted(nested).text.contains(Redaction.marker))
    }

    @Test(arguments: [
        "payment_status", "payment_intent_id", "payment_method", "payment_method_id", "status", "booking_id",
        "amount_cents", "id", "hourly_rate", "secretary_of_state", "tokens_valid_after", "emails_sent",
        "paymentless",
        "cards", "is_live", "cancellation_reason", "total_price",
    ])
    func whatMakesAChangeUsefulIsKept(key: String) {
        let change: JSONValue = .object(["changes": .object([key: ["old": "PENDING", "new": "CONFIRMED"]])])
        #expect(Self.audit.redacted(change) == change)
    }

    @Test func bothSidesOfAChangeAreHiddenAndAbsenceStaysVisible() {
        let change: JSONValue = [
            "email": ["old": nil, "new": "a@b.example"], "phone": ["old": "1", "new": "2"],
        ]
        #expect(
            Self.audit.redacted(change) == [
                "email": ["old": nil, "new": "[REDACTED]"],
                "phone": ["old": "[REDACTED]", "new": "[REDACTED]"],
            ])
    }

    @Test func aSensitiveValueOfAnyTypeGoesWhole() {
        let values: [JSONValue] = ["x", 7, 7.5, true, "", ["a", "b"], ["k": "v"], [], [:]]
        for value in values {
            #expect(Self.audit.redacted(["password": value]) == ["password": "[REDACTED]"])
        }
        #expect(Self.audit.redacted(["password": nil]) == ["password": nil])
    }

    @Test func aKeptKeyIsStillSearchedInside() {
        let value: JSONValue = ["payment_method": ["id": "pm_1", "card_number": "4242424242424242"]]
        #expect(
            Self.audit.redacted(value) == ["payment_method": ["id": "pm_1", "card_number": "[REDACTED]"]])
    }

    @Test func aStripeEventKeepsWhatAHandlerNeedsAndNoPerson() throws {
        let event: JSONValue = [
            "id": "evt_1", "object": "event", "type": "charge.succeeded", "created": 1_700_000_000,
            "data": [
                "object": [
                    "id": "ch_3Nabc", "amount": 4200, "currency": "usd", "status": "succeeded",
                    "customer": "cus_1",
                    "payment_intent": "pi_3Nabc", "payment_method": "pm_1",
                    "receipt_email": "ada@example.com",
                    "receipt_number": "1234-5678", "client_secret": "pi_3Nabc_secret_xyz",
                    "billing_details": [
                        "email": "ada@example.com", "name": "Ada Lovelace", "phone": "+12125550100",
                        "address": [
                            "city": "New York", "country": "US", "line1": "1 Main St", "line2": nil,
                            "postal_code": "10001", "state": "NY",
                        ],
                    ],
                    "payment_method_details": [
                        "type": "card",
                        "card": [
                            "brand": "visa", "last4": "4242", "country": "US",
                            "fingerprint": "Xt5EWLLDS7FJjR1c",
                            "exp_month": 8, "checks": ["cvc_check": "pass", "address_line1_check": "pass"],
                        ],
                    ],
                    "metadata": [
                        "booking_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "note": "call Ada", "type": "lesson",
                    ],
                ]
            ],
        ]
        let stored = Self.webhook.redacted(event)
        for gone in [
            "ada@", "Ada", "2125550100", "Main", "10001", "New York", "secret_xyz", "Xt5E", "1234-5678", "NY",
        ] {
            #expect(!stored.text.contains(gone), "\(gone)")
        }
        let object = try #require(stored["data"]?["object"])
        for key in ["id", "amount", "currency", "status", "customer", "payment_intent", "payment_method"] {
            #expect(object[key] == event["data"]?["object"]?[key], "\(key)")
        }
        let card = try #require(object["payment_method_details"]?["card"])
        #expect(card["brand"] == "visa" && card["last4"] == "4242" && card["country"] == "US")
        #expect(card["checks"] == ["cvc_check": "pass", "address_line1_check": "pass"])
        #expect(object["billing_details"]?["address"]?["country"] == "US")
        #expect(object["billing_details"]?["address"]?["line2"] == .null)
        #expect(
            object["metadata"] == [
                "booking_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "note": "[REDACTED]", "type": "lesson",
            ])
        #expect(stored["type"] == "charge.succeeded" && stored["created"] == 1_700_000_000)
    }

    @Test(arguments: [
        "email", "phone", "name", "first_name", "last_name", "middle_name", "firstName", "address", "line1",
        "line2",
        "zipcode", "postal_code", "zip_code", "dob", "ssn", "driver_license_number", "driver_license_state",
        "ip",
        "ip_address", "receipt_email", "receipt_number", "tax_id", "account_number", "routing_number",
        "fingerprint",
        "client_secret", "secret", "webhook_secret_key", "support_phone", "iban",
    ])
    func aPersonInAPayloadIsHidden(key: String) {
        let payload: JSONValue = .object(["data": .object(["object": .object([key: "hunter2"])])])
        #expect(!Self.webhook.redacted(payload).text.contains("hunter2"))
    }

    @Test func anAddressKeepsACountryCodeOnly() {
        let payload: JSONValue = ["address": ["country": "Ada Lovelace, 1 Main St", "state": "NY"]]
        #expect(
            Self.webhook.redacted(payload) == ["address": ["country": "[REDACTED]", "state": "[REDACTED]"]])
        #expect(Self.webhook.redacted(["address": "1 Main St"]) == ["address": "[REDACTED]"])
        #expect(Self.webhook.redacted(["address": ["1 Main St"]]) == ["address": "[REDACTED]"])
    }

    @Test func onlyHarmlessHeadersKeepTheirValues() {
        let received: [(name: String, value: String)] = [
            ("Content-Type", "application/json"), ("Stripe-Signature", "t=1,v1=ab"),
            ("AUTHORIZATION", "Basic eDp5"),
            ("Cookie", "a=b"), ("X-Forwarded-For", "203.0.113.7"), ("X-Checkr-Signature", "ab"),
            ("X-Checkr-Delivery-Id", "d1"), ("traceparent", "00-1-2-01"), ("X-Nobody-Thought-Of", "hunter2"),
            ("User-Agent", "Stripe/1.0 sk_live_abcdef123456"),
        ]
        let headers = Redaction.headers(received)
        #expect(
            headers == [
                "Content-Type": "application/json", "Stripe-Signature": "***", "AUTHORIZATION": "***",
                "Cookie": "***",
                "X-Forwarded-For": "***", "X-Checkr-Signature": "***", "X-Checkr-Delivery-Id": "d1",
                "traceparent": "00-1-2-01", "X-Nobody-Thought-Of": "***",
                "User-Agent": "Stripe/1.0 [REDACTED]",
            ])
        #expect(headers.keys.first == "Content-Type")
    }

    @Test func aSecretUnderAnySensitiveKeyAtAnyDepthNeverSurvives() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let keys = [
            "password", "client_secret", "clientSecret", "API-Key", "accessToken", "ssn", "email", "otp",
            "Secret-Key",
            "x_token", "phone", "dob", "credentials", "cookie", "MY_PASSWORD", "oldPassword", "webhookSecret",
        ]
        for round in 0..<500 {
            let secret = "S3cr3t\(random.next())"
            var value = Self.wrapped(secret, using: &random)
            value = .object([keys.randomElement(using: &random) ?? "password": value])
            for _ in 0..<Int.random(in: 0...12, using: &random) { value = Self.buried(value, using: &random) }
            for redaction in [Self.audit, Self.webhook] {
                let stored = redaction.redacted(value)
                #expect(!stored.text.contains(secret), "seed \(seed), round \(round)")
                #expect(redaction.redacted(stored) == stored, "seed \(seed), round \(round)")
            }
        }
    }

    private static func wrapped(_ secret: String, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .array([1, .string(secret)])
        case 1: .object(["inner": .string(secret)])
        case 2: .object(["old": .string(secret), "new": nil])
        case 3: .array([.object(["country": .string(secret)])])
        default: .string(secret)
        }
    }

    private static func buried(_ value: JSONValue, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .array(["x", value, 3])
        case 1: .object(["old": value, "new": value])
        case 2: .object(["payment_method": value, "id": "pm_1"])
        default: .object(["data": .object(["metadata": value])])
        }
    }
}
