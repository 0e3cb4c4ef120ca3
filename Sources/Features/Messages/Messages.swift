package import Kernel

extension Feature {
    /// What students and instructors write to each other.
    package static let messages = Feature(
        name: "messages", summary: "Conversations of students and instructors.",
        migrations: [messageMigration])
}
