import HTTPTypes

extension HTTPField.Name {
    private static func named(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return field
    }

    static let traceparent = named("traceparent")
    static let xForwardedFor = named("X-Forwarded-For")
    static let xRequestID = named("X-Request-Id")
    static let idempotencyKey = named("Idempotency-Key")
}
