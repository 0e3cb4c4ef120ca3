import Kernel
import Storage

/// One field of the matrix as its owner sees it.
struct PreferenceView: Codable, Sendable, Hashable {
    var category: NotificationCategory
    var channel: NotificationChannel
    var enabled: Bool
    var locked: Bool

    static func matrix(_ preferences: NotificationPreferences) -> [PreferenceView] {
        NotificationPreferences.cells.map {
            PreferenceView(
                category: $0.category, channel: $0.channel,
                enabled: preferences.isOn($0.category, $0.channel), locked: $0.isLocked)
        }
    }
}

/// The person's whole matrix.
struct ShowPreferences: Query {
    static let name = "notification_preferences_show"
    static let summary = "By which channels the signed-in person wants to hear of what."
    static let audience = Audience.users
    static let route = Route.get("notification-preferences")

    struct Output: Codable, Sendable {
        var preferences: [PreferenceView]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        return Output(
            preferences: PreferenceView.matrix(
                try await db.read { try NotificationPreferences.of(user, $0) }))
    }
}

/// Switches one channel on or off for one category.
struct ChangePreference: Command {
    static let name = "notification_preference_change"
    static let summary = "Switch a channel on or off for one category of notifications."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.put("notification-preferences/:category/:channel")
    static let action = "notification.change_preference"

    @Input("The category.") var category: NotificationCategory
    @Input("The channel.") var channel: NotificationChannel
    @Input("Whether it is on.") var enabled: Bool

    struct Output: Codable, Sendable {
        var preferences: [PreferenceView]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        try NotificationPreferences.set(
            .init(category, channel), enabled, of: user, tx, context)
        return Output(preferences: PreferenceView.matrix(try NotificationPreferences.of(user, tx)))
    }
}
