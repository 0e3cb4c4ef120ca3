import Kernel
import Storage

/// People, roles, permissions and what joins them.
///
/// Roles and permissions are few and named in code, so their names are their keys;
/// which role brings what is in code too, and only what differs for a person is a row.
let userMigration = Migration("0110_users") { _ in
    [
        """
        CREATE TABLE users (
            id \(.id) PRIMARY KEY, email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
            email_verified_at BIGINT, hashed_password TEXT NOT NULL,
            first_name TEXT NOT NULL, last_name TEXT NOT NULL, phone TEXT, phone_verified \(.bool) NOT NULL,
            zip_code TEXT NOT NULL, timezone TEXT NOT NULL, is_active \(.bool) NOT NULL,
            account_status TEXT NOT NULL CHECK (account_status IN ('active', 'suspended', 'deactivated')),
            account_locked \(.bool) NOT NULL, account_locked_at BIGINT, account_locked_reason TEXT,
            account_restricted \(.bool) NOT NULL, account_restricted_at BIGINT, account_restricted_reason TEXT,
            credit_balance_cents BIGINT NOT NULL, credit_balance_frozen \(.bool) NOT NULL,
            tokens_valid_after BIGINT, last_login_at BIGINT, deleted_at BIGINT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        "CREATE INDEX users_phone ON users (phone) WHERE phone IS NOT NULL",
        """
        CREATE TABLE user_roles (
            user_id \(.id) NOT NULL REFERENCES users (id),
            role TEXT NOT NULL CHECK (role IN ('admin', 'instructor', 'student')),
            assigned_at BIGINT NOT NULL, PRIMARY KEY (user_id, role))
        """,
        "CREATE INDEX user_roles_role ON user_roles (role, user_id)",
        """
        CREATE TABLE user_permissions (
            user_id \(.id) NOT NULL REFERENCES users (id), permission TEXT NOT NULL, granted \(.bool) NOT NULL,
            updated_at BIGINT NOT NULL, PRIMARY KEY (user_id, permission))
        """,
    ]
}
