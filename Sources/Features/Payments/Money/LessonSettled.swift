import Kernel
import Storage

/// What follows from a lesson that was held and paid for.
enum LessonSettled {
    /// Payouts to whoever brought the instructor or the student, and the credit of a milestone.
    static func hooks(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        try InstructorReferral.firstLessonCompleted(
            instructor: booking.instructorID, booking: booking.id, tx, context)
        try ReferralReward.firstLessonCompleted(
            student: booking.studentID, booking: booking.id, basketCents: booking.priceCents, tx, context)
        try Milestone.lessonSettled(booking, tx, context)
    }

    /// All of it was given back.
    static func undo(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        try ReferralReward.refunded(booking: booking.id, tx, context)
        try Credit.takeBack(booking, tx, context)
    }
}
