import JSON
package import Kernel
import Storage

/// The values of `roles.name`. A person may have several.
package enum UserRole: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case admin, instructor, student

    /// What the role brings; overrides add to it and take away from it.
    package var permissions: [Permission] {
        switch self {
        case .student: Self.everybody + Self.students
        case .instructor: Self.everybody + Self.instructors
        case .admin: Permission.all
        }
    }

    fileprivate static let everybody: [Permission] = [
        .manageOwnProfile, .viewOwnBookings, .viewOwnSearchHistory, .changeOwnPassword, .deleteOwnAccount,
    ]
    fileprivate static let students: [Permission] = [
        .viewInstructors, .viewInstructorAvailability, .createBookings, .cancelOwnBookings,
        .viewBookingDetails,
        .sendMessages, .viewMessages,
    ]
    fileprivate static let instructors: [Permission] = [
        .manageInstructorProfile, .manageServices, .manageAvailability, .viewIncomingBookings,
        .completeBookings, .cancelStudentBookings, .viewOwnInstructorAnalytics, .suspendOwnInstructorAccount,
        .sendMessages, .viewMessages,
    ]
    fileprivate static let administrators: [Permission] = [
        .adminRead, .adminManage, .mcpAccess, .viewAllUsers, .manageUsers, .viewSystemAnalytics,
        .exportAnalytics, .viewAllBookings, .manageAllBookings, .accessMonitoring, .moderateContent,
        .moderateMessages, .viewFinancials, .manageFinancials, .manageRoles, .managePermissions,
    ]
}

/// The marketplace's permissions (domain specification §1.1).
extension Permission {
    package static let manageOwnProfile: Permission = "manage_own_profile"
    package static let viewOwnBookings: Permission = "view_own_bookings"
    package static let viewOwnSearchHistory: Permission = "view_own_search_history"
    package static let changeOwnPassword: Permission = "change_own_password"
    package static let deleteOwnAccount: Permission = "delete_own_account"
    package static let viewInstructors: Permission = "view_instructors"
    package static let viewInstructorAvailability: Permission = "view_instructor_availability"
    package static let createBookings: Permission = "create_bookings"
    package static let cancelOwnBookings: Permission = "cancel_own_bookings"
    package static let viewBookingDetails: Permission = "view_booking_details"
    package static let sendMessages: Permission = "send_messages"
    package static let viewMessages: Permission = "view_messages"
    package static let manageInstructorProfile: Permission = "manage_instructor_profile"
    package static let manageServices: Permission = "manage_services"
    package static let manageAvailability: Permission = "manage_availability"
    package static let viewIncomingBookings: Permission = "view_incoming_bookings"
    package static let completeBookings: Permission = "complete_bookings"
    package static let cancelStudentBookings: Permission = "cancel_student_bookings"
    package static let viewOwnInstructorAnalytics: Permission = "view_own_instructor_analytics"
    package static let suspendOwnInstructorAccount: Permission = "suspend_own_instructor_account"
    package static let adminRead: Permission = "admin:read"
    package static let adminManage: Permission = "admin:manage"
    package static let mcpAccess: Permission = "mcp:access"
    package static let viewAllUsers: Permission = "view_all_users"
    package static let manageUsers: Permission = "manage_users"
    package static let viewSystemAnalytics: Permission = "view_system_analytics"
    package static let exportAnalytics: Permission = "export_analytics"
    package static let viewAllBookings: Permission = "view_all_bookings"
    package static let manageAllBookings: Permission = "manage_all_bookings"
    package static let accessMonitoring: Permission = "access_monitoring"
    package static let moderateContent: Permission = "moderate_content"
    package static let moderateMessages: Permission = "moderate_messages"
    package static let viewFinancials: Permission = "view_financials"
    package static let manageFinancials: Permission = "manage_financials"
    package static let manageRoles: Permission = "manage_roles"
    package static let managePermissions: Permission = "manage_permissions"

    /// Every permission there is, each once.
    package static let all: [Permission] = {
        var seen: Set<Permission> = []
        let lists = UserRole.everybody + UserRole.students + UserRole.instructors + UserRole.administrators
        return lists.filter { seen.insert($0).inserted }
    }()
}
