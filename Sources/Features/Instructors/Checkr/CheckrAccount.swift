package import Kernel

/// The account at Checkr, or at the built-in one, and the credentials that its
/// webhooks carry.
package struct CheckrAccount: Sendable {
    package var apiKey: String
    package var webhookUser: String
    package var webhookPassword: String
    /// Whether the built-in Checkr stands for the real one.
    package var isBuiltIn: Bool

    /// Signs for a process that was given no key.
    private static let processKey = Secrets.random(bytes: 32)

    /// The account that the settings name.
    ///
    /// Where none is named, and never in production, the built-in Checkr takes its
    /// place; so it does when `CHECKR_SANDBOX_KEY` is set. Nil means that nothing
    /// can be asked and no webhook be believed.
    package static func of(_ settings: Configuration) -> CheckrAccount? {
        let isProduction = settings.environmentName == "production"
        let (user, password) = (settings.checkrWebhookUser, settings.checkrWebhookPass)
        let isUnset = settings.checkrAPIKey == nil && user == nil && password == nil
        if !isProduction, isUnset || settings.checkrSandboxKey != nil {
            let key = settings.checkrSandboxKey ?? processKey
            return CheckrAccount(
                apiKey: key, webhookUser: user ?? "checkr-sandbox",
                webhookPassword: password ?? Secrets.hash(key),
                isBuiltIn: true)
        }
        guard let key = settings.checkrAPIKey, let user, let password else { return nil }
        return CheckrAccount(apiKey: key, webhookUser: user, webhookPassword: password, isBuiltIn: false)
    }
}

extension Configuration {
    /// The value of `bgc_env`.
    var checkEnvironment: String { environmentName == "production" ? "production" : "sandbox" }
}
