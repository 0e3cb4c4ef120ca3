package import Kernel

extension Feature {
    /// Lessons that students booked.
    package static let bookings = Feature(
        name: "bookings", summary: "Lessons that students booked.",
        operations: [
            CheckAvailability.self, CreateBooking.self, ConfirmPayment.self, ReplaceCard.self,
            RetryPayment.self, ListBookings.self, ListUpcomingBookings.self, ShowBookingStats.self,
            ShowBooking.self, PreviewBooking.self, ShowBookingPricing.self, UpdateBooking.self,
            PreviewPricing.self, ListInstructorBookings.self, ListPendingCompletion.self,
            ListInstructorUpcoming.self, ListInstructorCompleted.self, SendReminders.self,
            CancelBooking.self, RescheduleBooking.self, CompleteBooking.self, CompleteTaughtBooking.self,
            DisputeCompletion.self, ReportNoShow.self, DisputeNoShow.self,
            ListAllBookings.self, ShowBookingStatistics.self, ShowAnyBooking.self, RefundBooking.self,
            AdminCancelBooking.self, SetBookingStatus.self, ResolveNoShow.self,
        ],
        jobs: [SendBookingReminders.self],
        migrations: [
            bookingMigration, bookingPaymentIndex, bookingLessonMigration, bookingPaymentMigration,
            bookingRequestMigration,
        ])
}
