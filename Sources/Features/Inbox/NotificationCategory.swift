import JSON
import Kernel
import Storage

/// What a notification is about; people choose channels by it (domain specification §1.8).
package enum NotificationCategory: String, Sendable, CaseIterable, Codable, InputEnum, SQLBindable,
    SQLDecodable
{
    case lessonUpdates = "lesson_updates"
    case messages, reviews
    case learningTips = "learning_tips"
    case systemUpdates = "system_updates"
    case promotional
}

/// By what else than the list in the product a notification reaches a person.
package enum NotificationChannel: String, Sendable, CaseIterable, Codable, InputEnum, SQLBindable,
    SQLDecodable
{
    case email, push, sms
}
