package import Kernel

extension Feature {
    /// Lessons that students booked.
    package static let bookings = Feature(
        name: "bookings", summary: "Lessons that students booked.",
        migrations: [bookingMigration, bookingPaymentIndex])
}
