package import Kernel

extension Feature {
    /// Notifications of people, and which of them also come by mail and SMS.
    package static let inbox = Feature(
        name: "inbox", summary: "Notifications of people and their choice of channels.",
        operations: [
            ListNotifications.self, CountNotifications.self, ReadNotification.self,
            ReadAllNotifications.self,
            RemoveNotification.self, ShowPreferences.self, ChangePreference.self,
        ],
        migrations: [inboxMigration])
}
