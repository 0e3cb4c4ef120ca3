package import Kernel
package import Storage

extension Booking {
    /// Whether another lesson than this one was completed by somebody.
    ///
    /// - Parameter owner: whose lessons, e.g. `student_id = …`.
    package static func completedAnother(than booking: ULID, of owner: SQL, _ db: Snapshot) throws -> Bool {
        try db.value(
            "SELECT 1 FROM bookings WHERE \(owner) AND status = 'COMPLETED' AND id <> \(booking) LIMIT 1",
            as: Int.self) != nil
    }
}
