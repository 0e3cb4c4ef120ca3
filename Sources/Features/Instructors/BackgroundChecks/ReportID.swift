import Kernel

/// How `instructor_profiles.bgc_report_id` is kept: whoever reads the table cannot look
/// somebody's report up at the provider.
enum ReportID {
    private static let purpose = "bgc-report"

    /// What the column holds of a provider's report id.
    static func stored(_ id: String, _ context: Context) throws -> String {
        try context.environment.secrets.seal(Array(id.utf8), purpose: purpose)
    }

    /// The provider's report id from what the column holds.
    static func revealed(_ stored: String, _ context: Context) throws -> String {
        String(decoding: try context.environment.secrets.open(stored, purpose: purpose), as: UTF8.self)
    }
}
