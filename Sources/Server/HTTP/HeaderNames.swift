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
    static let idempotencyReplayed = named("Idempotency-Replayed")
    static let xCSRFToken = named("X-CSRF-Token")
    static let rateLimitLimit = named("RateLimit-Limit")
    static let rateLimitRemaining = named("RateLimit-Remaining")
    static let rateLimitReset = named("RateLimit-Reset")
    static let xContentTypeOptions = named("X-Content-Type-Options")
    static let xFrameOptions = named("X-Frame-Options")
    static let stripeAccount = named("Stripe-Account")
    static let stripeReplayed = named("Idempotent-Replayed")
    static let stripeRequestID = named("Request-Id")
    static let stripeShouldRetry = named("Stripe-Should-Retry")
    static let referrerPolicy = named("Referrer-Policy")
}
