import JSON
import Kernel
import Storage

/// Counts who teaches what.
struct InstructorsCoverage: Query {
    static let name = "instructors_coverage"
    static let title = "Instructor coverage"
    static let summary =
        "How many instructors teach in each category, or each service, the most covered first."
    static let route = Route.get("instructors/coverage")

    enum Grouping: String, Codable, CaseIterable, InputEnum {
        case category, service
    }

    @Input("Only instructors of this status.") var status = OnboardingStatus.live
    @Input("What to count by.") var groupBy = Grouping.category
    @Input("Labels to return.", .range(1...200)) var top = 25

    struct Output: Codable, Sendable {
        struct Data: Codable, Sendable {
            var groupBy: Grouping
            var labels: [String]
            /// Distinct instructors of the label at the same place.
            var values: [Int]
            /// All of the status, whether they teach anything or not.
            var totalInstructors: Int
            /// Their active services; not only those of the labels.
            var totalServicesOffered: Int
            /// Labels that there are; more than shown when `top` cut them.
            var totalLabels: Int
            var status: OnboardingStatus
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (status, grouping, top) = (status, groupBy, top)
        let condition: SQL = "\(InstructorItem.present) AND \(InstructorProfile.condition(status, "p."))"
        let people: SQL = "instructor_profiles p JOIN users u ON u.id = p.user_id"
        let label: SQL = grouping == .category ? "c.name" : "s.name"
        let (groups, total) = try await db.read { db in
            (
                try db.rows(
                    """
                    SELECT \(label), COUNT(DISTINCT p.id), COUNT(*) FROM \(people)
                    JOIN instructor_services i ON i.instructor_profile_id = p.id AND i.is_active
                    JOIN service_catalog s ON s.id = i.service_catalog_id
                    JOIN service_subcategories b ON b.id = s.subcategory_id
                    JOIN service_categories c ON c.id = b.category_id
                    WHERE \(condition) GROUP BY \(label)
                    """
                ).map { row in
                    (
                        label: try row.get(at: 0, as: String.self),
                        instructors: try row.get(at: 1, as: Int.self),
                        services: try row.get(at: 2, as: Int.self)
                    )
                },
                try db.value("SELECT COUNT(*) FROM \(people) WHERE \(condition)", as: Int.self) ?? 0
            )
        }
        // Here and not in the database, whose order of texts depends on its locale.
        let sorted = groups.sorted { ($1.instructors, $0.label) < ($0.instructors, $1.label) }
        let shown = sorted.prefix(top)
        return Output(
            meta: AnswerMeta(context),
            data: .init(
                groupBy: grouping, labels: shown.map(\.label), values: shown.map(\.instructors),
                totalInstructors: total, totalServicesOffered: groups.reduce(0) { $0 + $1.services },
                totalLabels: groups.count, status: status))
    }
}
