/// The time zone that a ZIP code lies in, by its first digits: near enough to begin
/// with, and to be corrected by its owner.
package enum ZIPTimeZone {
    /// Of everybody of whom nothing else is known.
    package static let fallback = "America/New_York"

    /// By three digits where a region differs from the rest of its first digit.
    private static let regions: [(range: ClosedRange<Int>, zone: String)] = [
        (6...9, "America/Puerto_Rico"), (350...369, "America/Chicago"), (370...372, "America/Chicago"),
        (380...397, "America/Chicago"), (590...599, "America/Denver"), (850...865, "America/Phoenix"),
        (889...898, "America/Los_Angeles"), (967...968, "Pacific/Honolulu"), (995...999, "America/Anchorage"),
    ]
    private static let digits = [
        "America/New_York", "America/New_York", "America/New_York", "America/New_York", "America/New_York",
        "America/Chicago", "America/Chicago", "America/Chicago", "America/Denver", "America/Los_Angeles",
    ]

    /// Every zone that an address of ours can be in.
    package static let all = Set(digits + regions.map(\.zone)).sorted()

    package static func zone(of zip: String) -> String {
        guard zip.utf8.count >= 3, let prefix = Int(zip.prefix(3)), let digit = Int(zip.prefix(1)) else {
            return fallback
        }
        return regions.first { $0.range.contains(prefix) }?.zone ?? digits[digit]
    }
}
