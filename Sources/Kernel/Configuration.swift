import Configuration
import SystemPackage

/// Everything that can be set, read once at start: flags, then environment,
/// then `.env`, then the defaults here.
///
/// A setting is one property and one line in ``settings``; the environment
/// variable, the `.env` line and the generated table come from that line.
package struct Configuration: Sendable {
    /// Folder of the SQLite file, keys and the mailbox.
    package var dataDirectory = "./data"
    /// PostgreSQL URL; nil means the SQLite file in the data folder.
    package var databaseURL: String?
    package var host = "127.0.0.1"
    package var port = 8_000
    package var publicURL: String?
    package var allowedOrigins: [String] = []
    package var allowedHosts: [String] = []
    package var trustedProxies: [String] = []
    package var stripeAPIKey: String?
    package var stripeAPIURL = "https://api.stripe.com"
    package var stripeWebhookSecret: String?
    package var stripeWebhookSecretPlatform: String?
    package var stripeWebhookSecretConnect: String?
    package var checkrAPIKey: String?
    package var checkrWebhookUser: String?
    package var checkrWebhookPass: String?
    package var checkrSandboxKey: String?
    package var checkrPackage = "basic_plus"
    package var checkrAPIURL = "https://api.checkr.com/v1"
    package var bgcExpirySweep = "off"
    package var celeryFlowerURL: String?
    package var celeryFlowerUser: String?
    package var celeryFlowerPassword: String?
    package var resendAPIKey: String?
    package var emailFrom: String?
    package var twilioAccountSID: String?
    package var twilioAuthToken: String?
    package var twilioFrom: String?
    package var twilioMessagingServiceSID: String?
    package var accessTokenMinutes = 720
    package var totpValidWindow = 1
    package var turnstileSecret: String?
    package var availabilityAllowPast = "true"
    package var pastEditWindowDays = 0
    package var publicAvailabilityDetail = "full"
    package var gitSHA: String?
    package var environmentName = "development"
    package var ratePerMinute = 600
    package var rateBurst = 120
    package var databasePoolSize = 8
    package var workerSlots = 32
    /// Those that this process takes jobs from; nil means all, as they are.
    package var workerQueues: [Queue]?
    package var jobLeaseSeconds = 15
    package var retentionPurgeCron = "0 4 * * *"
    package var auditOrigin = "instainstru/audit"
    package var auditSigningKey: String?
    package var secretKeys: [String] = []
    package var metricsToken: String?
    package var logLevel = "info"

    package init() {}

    package static let settings: [Setting] = [
        .text("DATA", \.dataDirectory, "Folder for the SQLite file, keys and the mailbox."),
        .optional(
            "DATABASE_URL", \.databaseURL, "postgres://… selects PostgreSQL; unset means SQLite in DATA.",
            isSecret: true, check: Setting.isDatabaseURL),
        .text("HOST", \.host, "Address to listen on."),
        .number("PORT", \.port, 0...65_535, "Port to listen on; 0 takes a free one."),
        .optional(
            "PUBLIC_URL", \.publicURL, "The server's own URL as clients type it, for links and metadata."),
        .list(
            "ALLOWED_ORIGINS", \.allowedOrigins,
            "Browser origins that may call /mcp, comma-separated; loopback always may."),
        .list(
            "ALLOWED_HOSTS", \.allowedHosts,
            "Host names this server answers to, comma-separated; loopback and HOST always."),
        .list(
            "TRUSTED_PROXIES", \.trustedProxies,
            "Addresses whose X-Forwarded-For is believed, comma-separated."),
        .optional(
            "STRIPE_API_KEY", \.stripeAPIKey,
            "Stripe API key; without it, and never in production, the built-in Stripe takes payments.",
            isSecret: true),
        .text("STRIPE_API_URL", \.stripeAPIURL, "Stripe's API, e.g. that of a test server."),
        .optional(
            "STRIPE_WEBHOOK_SECRET", \.stripeWebhookSecret, "Stripe signing secret (local listener).",
            isSecret: true),
        .optional(
            "STRIPE_WEBHOOK_SECRET_PLATFORM", \.stripeWebhookSecretPlatform,
            "Stripe signing secret of the platform endpoint.", isSecret: true),
        .optional(
            "STRIPE_WEBHOOK_SECRET_CONNECT", \.stripeWebhookSecretConnect,
            "Stripe signing secret of the Connect endpoint.", isSecret: true),
        .optional(
            "CHECKR_API_KEY", \.checkrAPIKey, "Checkr API key; signs Checkr's webhooks.", isSecret: true),
        .optional("CHECKR_WEBHOOK_USER", \.checkrWebhookUser, "User of the Checkr webhook endpoint."),
        .optional(
            "CHECKR_WEBHOOK_PASS", \.checkrWebhookPass, "Password of the Checkr webhook endpoint.",
            isSecret: true),
        .optional(
            "CHECKR_SANDBOX_KEY", \.checkrSandboxKey,
            "Has the built-in Checkr stand for the real one, and signs its webhooks; never in production.",
            isSecret: true),
        .text("CHECKR_PACKAGE", \.checkrPackage, "The package of checks that instructors are invited to."),
        .text("CHECKR_API_URL", \.checkrAPIURL, "Checkr's API, e.g. that of its staging."),
        .text(
            "BGC_EXPIRY_SWEEP", \.bgcExpirySweep,
            "on takes instructors down daily whose background check ran out; off does not.",
            check: Setting.isSwitch),
        .optional(
            "CELERY_FLOWER_URL", \.celeryFlowerURL,
            "Flower of a Celery cluster, e.g. http://flower:5555; the celery tools then show that cluster.",
            isSecret: true),
        .optional("CELERY_FLOWER_USER", \.celeryFlowerUser, "User of Flower's basic authentication."),
        .optional(
            "CELERY_FLOWER_PASSWORD", \.celeryFlowerPassword, "Password of Flower's basic authentication.",
            isSecret: true),
        .optional(
            "RESEND_API_KEY", \.resendAPIKey,
            "Resend API key; unset means that e-mail goes to the local mailbox.", isSecret: true),
        .optional(
            "EMAIL_FROM", \.emailFrom, "Sender of e-mail, e.g. InstaInstru <hello@example.com>.",
            check: Setting.isSender),
        .optional(
            "TWILIO_ACCOUNT_SID", \.twilioAccountSID,
            "Twilio account, AC…; unset means that SMS go to the local mailbox.", check: Setting.isAccountSID),
        .optional(
            "TWILIO_AUTH_TOKEN", \.twilioAuthToken, "Twilio auth token.", isSecret: true),
        .optional(
            "TWILIO_FROM", \.twilioFrom, "Sender of SMS: a number such as +15005550006, or a sender name."),
        .optional(
            "TWILIO_MESSAGING_SERVICE_SID", \.twilioMessagingServiceSID,
            "Twilio messaging service, MG…; instead of TWILIO_FROM.", check: Setting.isServiceSID),
        .number(
            "ACCESS_TOKEN_MINUTES", \.accessTokenMinutes, 1...10_080,
            "How long a person's access token is good."),
        .number(
            "TOTP_VALID_WINDOW", \.totpValidWindow, 0...2,
            "Steps of 30 seconds that a one-time password may be early or late."),
        .optional(
            "TURNSTILE_SECRET", \.turnstileSecret,
            "Secret of Cloudflare Turnstile; unset means that sign-in asks for no captcha.", isSecret: true),
        .text(
            "AVAILABILITY_ALLOW_PAST", \.availabilityAllowPast,
            "Whether instructors may change days that are over: true or false.",
            check: Setting.isOne(of: ["true", "false"])),
        .number(
            "PAST_EDIT_WINDOW_DAYS", \.pastEditWindowDays, 0...3_650,
            "How many days back instructors may change; 0 for any."),
        .text(
            "PUBLIC_AVAILABILITY_DETAIL", \.publicAvailabilityDetail,
            "What people see of an instructor's free time: full, summary or minimal.",
            check: Setting.isOne(of: ["full", "summary", "minimal"])),
        .optional(
            "GIT_SHA", \.gitSHA, "Commit that is running; else RENDER_GIT_COMMIT or COMMIT_SHA.",
            also: ["RENDER_GIT_COMMIT", "COMMIT_SHA"]),
        .text("ENVIRONMENT", \.environmentName, "Name of the deployment: development, preview, production."),
        .number(
            "RATE_LIMIT_PER_MINUTE", \.ratePerMinute, 0...1_000_000,
            "Call units per minute and caller; 0 means no limit."),
        .number(
            "RATE_LIMIT_BURST", \.rateBurst, 1...100_000, "Call units a caller may use at once from idle."),
        .number("DATABASE_POOL_SIZE", \.databasePoolSize, 1...200, "PostgreSQL connections of this process."),
        .number(
            "WORKER_SLOTS", \.workerSlots, 1...1_000,
            "Jobs of one queue at a time in this process at most, whatever the queue allows."),
        .queues(
            "WORKER_QUEUES", \.workerQueues,
            "Queues this process works on, e.g. payments=4,webhooks (=: jobs at a time); unset means all."),
        .number(
            "JOB_LEASE_SECONDS", \.jobLeaseSeconds, 2...3_600, "How long a silent worker keeps its jobs."),
        .text(
            "RETENTION_PURGE_CRON", \.retentionPurgeCron,
            "When rows that were deleted a month ago are purged, as five cron fields in UTC.",
            check: Setting.isCron),
        .text(
            "AUDIT_LOG_ORIGIN", \.auditOrigin, "Name of the audit log in its signed checkpoints.",
            check: Setting.isKeyName),
        .optional(
            "AUDIT_SIGNING_KEY", \.auditSigningKey,
            "Base64url of the 32-byte Ed25519 seed; unset means a key file in DATA.", isSecret: true,
            check: Setting.isSeed),
        .list(
            "SECRET_KEYS", \.secretKeys,
            "Versions of the key of stored secrets and tokens, current first: 2:<base64url>,1:derived.",
            isSecret: true),
        .optional(
            "METRICS_TOKEN", \.metricsToken, "Bearer token for /metrics from elsewhere than loopback.",
            isSecret: true),
        .text(
            "LOG_LEVEL", \.logLevel, "trace, debug, info, notice, warning, error or critical.",
            check: Setting.isLogLevel),
    ]

    package var stripeSecrets: [String] {
        [stripeWebhookSecret, stripeWebhookSecretPlatform, stripeWebhookSecretConnect].compactMap { $0 }
    }

    /// Reads all settings; throws one ``Failure`` that lists every problem.
    ///
    /// - Parameter flags: command-line values by environment name, which win.
    package static func load(flags: [String: String] = [:], dotEnv path: String = ".env") async throws
        -> Configuration
    {
        var overrides: [AbsoluteConfigKey: ConfigValue] = [:]
        for (name, value) in flags {
            overrides[AbsoluteConfigKey(key(name))] = ConfigValue(.string(value), isSecret: true)
        }
        let reader = ConfigReader(providers: [
            InMemoryProvider(name: "flags", values: overrides),
            EnvironmentVariablesProvider(),
            try await EnvironmentVariablesProvider(environmentFilePath: .init(path), allowMissing: true),
        ])
        return try load { reader.string(forKey: key($0), isSecret: true) }
    }

    /// The same over any look-up by environment name.
    package static func load(_ lookUp: (String) -> String?) throws -> Configuration {
        var configuration = Configuration()
        var problems: [Failure.Field] = []
        for setting in settings {
            guard
                let (name, value) = setting.names.compactMap({ name in lookUp(name).map { (name, $0) } })
                    .first,
                !value.isEmpty
            else { continue }
            if let problem = setting.apply(&configuration, value) { problems.append(.init(name, problem)) }
        }
        if (configuration.checkrWebhookUser == nil) != (configuration.checkrWebhookPass == nil) {
            problems.append(.init("CHECKR_WEBHOOK_USER", "and CHECKR_WEBHOOK_PASS must be set together"))
        }
        problems += configuration.flowerProblems
        problems += configuration.messageProblems
        guard problems.isEmpty else { throw Failure.invalid(problems, hint: "See Docs/configuration.md.") }
        return configuration
    }

    /// Flower's address, with the credentials that its URL may hold; nil when there is no cluster.
    package var celeryFlower: ServiceURL? { celeryFlowerURL.flatMap(ServiceURL.init(parsing:)) }

    private var flowerProblems: [Failure.Field] {
        var problems: [Failure.Field] = []
        if celeryFlowerURL != nil, celeryFlower == nil {
            problems.append(.init("CELERY_FLOWER_URL", "must be a URL such as http://flower:5555"))
        }
        if (celeryFlowerUser == nil) != (celeryFlowerPassword == nil) {
            problems.append(.init("CELERY_FLOWER_USER", "and CELERY_FLOWER_PASSWORD must be set together"))
        }
        return problems
    }

    /// A provider of messages that is set in part would send nothing, or from nobody.
    private var messageProblems: [Failure.Field] {
        var problems: [Failure.Field] = []
        if resendAPIKey != nil, emailFrom == nil {
            problems.append(.init("EMAIL_FROM", "must be set together with RESEND_API_KEY"))
        }
        let sender = twilioFrom ?? twilioMessagingServiceSID
        if [twilioAccountSID, twilioAuthToken, sender].contains(where: { $0 != nil }) {
            if twilioAccountSID == nil { problems.append(.init("TWILIO_ACCOUNT_SID", "is needed for SMS")) }
            if twilioAuthToken == nil { problems.append(.init("TWILIO_AUTH_TOKEN", "is needed for SMS")) }
            if sender == nil {
                problems.append(
                    .init("TWILIO_FROM", "or TWILIO_MESSAGING_SERVICE_SID is needed for SMS"))
            }
        }
        if twilioFrom != nil, twilioMessagingServiceSID != nil {
            problems.append(.init("TWILIO_FROM", "and TWILIO_MESSAGING_SERVICE_SID exclude each other"))
        }
        return problems
    }

    /// Name and value of every setting, secrets as `***`.
    package var redacted: [(name: String, value: String)] {
        Self.settings.map { setting in
            let value = setting.value(self)
            return (setting.names[0], setting.isSecret && value != nil ? "***" : value ?? "")
        }
    }

    private static func key(_ name: String) -> ConfigKey {
        ConfigKey(name.lowercased().split(separator: "_").map(String.init))
    }
}

/// One setting: its names, what it says, and how its text becomes a value.
package struct Setting: Sendable {
    /// The environment variable, then older names for it.
    package var names: [String]
    package var summary: String
    package var isSecret: Bool
    /// Sets the value; a returned text says what is wrong with it.
    var apply: @Sendable (inout Configuration, String) -> String?
    package var value: @Sendable (Configuration) -> String?

    typealias Path<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    static func text(
        _ name: String, _ path: Path<String>, _ summary: String, check: @escaping Check = { _ in nil }
    ) -> Setting {
        Setting(names: [name], summary: summary, isSecret: false) {
            $0[keyPath: path] = $1
            return check($1)
        } value: {
            $0[keyPath: path]
        }
    }

    static func optional(
        _ name: String, _ path: Path<String?>, _ summary: String, isSecret: Bool = false, also: [String] = [],
        check: @escaping Check = { _ in nil }
    ) -> Setting {
        Setting(names: [name] + also, summary: summary, isSecret: isSecret) {
            $0[keyPath: path] = $1
            return check($1)
        } value: {
            $0[keyPath: path]
        }
    }

    static func list(
        _ name: String, _ path: Path<[String]>, _ summary: String, isSecret: Bool = false
    ) -> Setting {
        Setting(names: [name], summary: summary, isSecret: isSecret) {
            $0[keyPath: path] = $1.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            return nil
        } value: {
            $0[keyPath: path].isEmpty ? nil : $0[keyPath: path].joined(separator: ",")
        }
    }

    static func number(_ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ summary: String)
        -> Setting
    {
        Setting(names: [name], summary: summary, isSecret: false) {
            guard let number = Int($1), range.contains(number) else {
                return
                    "must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\($1.prefix(40))'"
            }
            $0[keyPath: path] = number
            return nil
        } value: {
            String($0[keyPath: path])
        }
    }
}
