import Kernel

/// How `instructor_profiles.bgc_report_id` is kept: the one place that knows.
enum ReportID {
    /// What the column holds of a provider's report id.
    static func stored(_ id: String, _ context: Context) -> String { id }

    /// The provider's report id from what the column holds.
    static func revealed(_ stored: String, _ context: Context) -> String { stored }
}
