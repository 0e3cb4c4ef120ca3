import Crypto
package import Kernel
package import Storage

/// The account at Stripe, or at the built-in one.
package struct StripeAccount: Sendable {
    package var apiKey: String
    /// Whether the built-in Stripe stands for the real one.
    package var isBuiltIn: Bool

    /// The account that the settings name.
    ///
    /// Where none is named, and never in production, the built-in Stripe takes its
    /// place. Nil means that no money can be moved.
    package static func of(_ settings: Configuration) -> StripeAccount? {
        if let key = settings.stripeAPIKey { return StripeAccount(apiKey: key, isBuiltIn: false) }
        guard settings.environmentName != "production" else { return nil }
        return StripeAccount(apiKey: "sk_test_builtin", isBuiltIn: true)
    }

    /// What the webhooks of the built-in Stripe are signed with unless there is a secret in the
    /// settings, newest first; none where it is not in use. Derived, so that every process knows
    /// the same.
    static func sandboxSecrets(_ context: Context) -> [String] {
        guard of(context.configuration)?.isBuiltIn == true else { return [] }
        return context.environment.secrets.verifying("stripe_sandbox").map { signing in
            "whsec_" + signing.key.withUnsafeBytes { Secrets.base64URL(Array($0)) }
        }
    }
}

extension PaymentProvider {
    /// Stripe where an account is configured, otherwise the built-in one; nil when
    /// there is neither.
    package static func of(_ context: Context, _ database: any Database) -> PaymentProvider? {
        guard let account = StripeAccount.of(context.configuration) else { return nil }
        if account.isBuiltIn {
            let sandbox = StripeSandbox(database: database, context: context)
            return StripeProvider(transport: { try await sandbox.answer($0) }).port
        }
        return stripe(context, apiKey: account.apiKey)
    }

    /// Stripe over HTTPS.
    ///
    /// - Parameter pause: waits before a call is made again.
    package static func stripe(
        _ context: Context, apiKey: String,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) -> PaymentProvider {
        let https = StripeHTTPS(
            base: context.configuration.stripeAPIURL, apiKey: apiKey, clients: context.clients)
        return StripeProvider(transport: { try await https.answer($0) }, pause: pause).port
    }
}
