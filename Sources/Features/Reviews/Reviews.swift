package import Kernel

extension Feature {
    /// What students say of lessons, and what instructors answer.
    package static let reviews = Feature(
        name: "reviews", summary: "Reviews of lessons and the ratings of instructors.",
        migrations: [reviewMigration])
}
