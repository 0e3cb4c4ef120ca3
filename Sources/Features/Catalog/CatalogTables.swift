import JSON
import Kernel
import Storage

let catalogMigration = Migration("0130_catalog") { _ in
    [
        """
        CREATE TABLE service_categories (
            id \(.id) PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, subtitle TEXT,
            description TEXT, display_order INTEGER NOT NULL, icon_name TEXT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE service_subcategories (
            id \(.id) PRIMARY KEY,
            category_id \(.id) NOT NULL REFERENCES service_categories (id) ON DELETE CASCADE,
            slug TEXT NOT NULL, name TEXT NOT NULL, description TEXT, display_order INTEGER NOT NULL,
            is_active \(.bool) NOT NULL, meta_title TEXT, meta_description TEXT, UNIQUE (category_id, slug))
        """,
        """
        CREATE TABLE service_catalog (
            id \(.id) PRIMARY KEY, subcategory_id \(.id) NOT NULL REFERENCES service_subcategories (id),
            name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, description TEXT, search_terms TEXT NOT NULL,
            display_order INTEGER NOT NULL DEFAULT 999, online_capable \(.bool) NOT NULL,
            requires_certification \(.bool) NOT NULL, is_active \(.bool) NOT NULL, related_services TEXT)
        """,
        "CREATE INDEX service_catalog_subcategory ON service_catalog (subcategory_id)",
        """
        CREATE TABLE instructor_services (
            id \(.id) PRIMARY KEY,
            instructor_profile_id \(.id) NOT NULL REFERENCES instructor_profiles (id) ON DELETE CASCADE,
            service_catalog_id \(.id) NOT NULL REFERENCES service_catalog (id) ON DELETE RESTRICT,
            hourly_rate_cents BIGINT NOT NULL CHECK (hourly_rate_cents BETWEEN 1 AND 100000),
            description TEXT, requirements TEXT, experience_level TEXT, duration_options TEXT NOT NULL,
            equipment_required TEXT, levels_taught TEXT, age_groups TEXT,
            teaches_kids \(.bool) NOT NULL, teaches_adults \(.bool) NOT NULL,
            offers_travel \(.bool) NOT NULL, offers_at_location \(.bool) NOT NULL,
            offers_online \(.bool) NOT NULL, max_distance_miles INTEGER, is_active \(.bool) NOT NULL,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            CHECK (offers_travel OR offers_at_location OR offers_online))
        """,
        """
        CREATE UNIQUE INDEX instructor_services_active
        ON instructor_services (instructor_profile_id, service_catalog_id) WHERE is_active
        """,
        // Lists of a service's instructors walk this in the order of ids.
        """
        CREATE INDEX instructor_services_catalog ON instructor_services (service_catalog_id, id)
        WHERE is_active
        """,
        """
        CREATE TABLE service_analytics (
            service_catalog_id \(.id) PRIMARY KEY REFERENCES service_catalog (id) ON DELETE CASCADE,
            search_count_7d INTEGER NOT NULL, search_count_30d INTEGER NOT NULL,
            booking_count_7d INTEGER, booking_count_30d INTEGER, view_to_booking_rate \(.double),
            avg_price_booked_cents BIGINT, price_percentile_25_cents BIGINT, price_percentile_50_cents BIGINT,
            price_percentile_75_cents BIGINT, most_booked_duration INTEGER, avg_rating \(.double),
            completion_rate \(.double), active_instructors INTEGER NOT NULL, total_weekly_minutes BIGINT,
            supply_demand_ratio \(.double), peak_hours TEXT, peak_days TEXT, last_calculated BIGINT NOT NULL)
        """,
        """
        CREATE TABLE search_tokens (
            token \(.text) NOT NULL,
            service_id \(.id) NOT NULL REFERENCES service_catalog (id) ON DELETE CASCADE,
            weight INTEGER NOT NULL, PRIMARY KEY (token, service_id))
        """,
        "CREATE INDEX search_tokens_service ON search_tokens (service_id)",
    ]
}

/// What is in the catalogue from the start, with its words.
let catalogSeedMigration = Migration("0131_catalog_seed") { _ in
    let time = Instant(microseconds: 1_735_689_600_000_000)
    let categories: [SQL] = CatalogSeed.categories.enumerated().map { index, category in
        """
        (\(CatalogSeed.id("category", category.slug)), \(category.name), \(category.slug), \
        \(category.subtitle), \(index + 1), \(category.icon), \(time), \(time))
        """
    }
    let subcategories: [SQL] = CatalogSeed.categories.flatMap { category in
        category.subcategories.enumerated().map { index, item in
            """
            (\(CatalogSeed.id("subcategory", CatalogSeed.slug(item.name))), \
            \(CatalogSeed.id("category", category.slug)), \(CatalogSeed.slug(item.name)), \(item.name), \
            \(index + 1), \(true))
            """
        }
    }
    let inPerson: Set = ["swimming", "ice-skating", "ballroom", "tango", "salsa"]
    let services: [SQL] = CatalogSeed.services.map { service in
        """
        (\(CatalogSeed.service(service.slug)), \
        \(CatalogSeed.id("subcategory", CatalogSeed.slug(service.subcategory.name))), \(service.name), \
        \(service.slug), \(JSONList(service.terms)), \(service.order), \
        \(!inPerson.contains(service.slug)), \(false), \(true))
        """
    }
    let tokens: [SQL] = CatalogSeed.services.flatMap { service in
        seedTokens(service).sorted { $0.key < $1.key }.map {
            "(\($0.key), \(CatalogSeed.service(service.slug)), \($0.value))"
        }
    }
    return SQL.inserts(
        """
        INSERT INTO service_categories (id, name, slug, subtitle, display_order, icon_name, created_at, \
        updated_at) VALUES
        """, categories)
        + SQL.inserts(
            """
            INSERT INTO service_subcategories (id, category_id, slug, name, display_order, is_active) VALUES
            """, subcategories)
        + SQL.inserts(
            """
            INSERT INTO service_catalog (id, subcategory_id, name, slug, search_terms, display_order, \
            online_capable, requires_certification, is_active) VALUES
            """, services)
        + SQL.inserts("INSERT INTO search_tokens (token, service_id, weight) VALUES", tokens)
}

/// The words of a seeded service, as ``SearchIndex`` finds them; here on their own, because a
/// migration does not change.
private func seedTokens(_ service: CatalogSeed.Service) -> [String: Int] {
    var tokens: [String: Int] = [:]
    let sources = [
        (service.name, 10), (service.terms.joined(separator: " "), 6), (service.subcategory.name, 4),
        (service.category.name, 3),
    ]
    for (text, weight) in sources {
        for word in CatalogSeed.words(text)
        where word.utf8.count > 1 && !["and", "the", "for", "as"].contains(word) {
            tokens[word] = max(tokens[word] ?? 0, weight)
        }
    }
    return tokens
}
