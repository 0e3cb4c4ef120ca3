package import Kernel

extension Feature {
    /// When instructors can be booked.
    package static let availability = Feature(
        name: "availability", summary: "When instructors can be booked.",
        operations: [
            ReadWeek.self, SaveWeek.self, CopyWeek.self, ApplyToDateRange.self, AddWindow.self,
            ListAvailability.self, BulkUpdate.self, ListBookedSlots.self, ValidateWeek.self,
            ListBlackouts.self, AddBlackout.self, RemoveBlackout.self, PublicAvailability.self,
            NextAvailable.self,
        ],
        migrations: [availabilityMigration, bookingTimesMigration])
}
