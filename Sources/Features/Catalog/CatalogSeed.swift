import Crypto
package import Kernel
import Storage

/// The catalogue that every database begins with: categories, their subcategories and services.
///
/// Part of the migration `0131_catalog_seed`, so it never changes: a service is
/// added or changed by a migration of its own. The ids are made of the slugs,
/// and are the same everywhere.
package enum CatalogSeed {
    struct Category: Sendable {
        var name: String
        var slug: String
        var icon: String
        var subtitle: String
        var subcategories: [Subcategory]
    }

    struct Subcategory: Sendable {
        var name: String
        /// Name and further words that people search by, separated by commas.
        var services: [(name: String, terms: String)]
        init(_ name: String, _ services: KeyValuePairs<String, String>) {
            self.name = name
            self.services = services.map { (name: $0.key, terms: $0.value) }
        }
    }

    /// An id that depends on nothing but the kind and the slug.
    package static func id(_ kind: String, _ slug: String) -> ULID {
        let hash = Array(SHA256.hash(data: Array("\(kind):\(slug)".utf8)))
        func number(_ range: Range<Int>) -> UInt64 { hash[range].reduce(0) { $0 << 8 | UInt64($1) } }
        return ULID(
            milliseconds: 1_735_689_600_000, randomHigh: UInt16(truncatingIfNeeded: number(0..<2)),
            randomLow: number(2..<10))
    }

    /// The id of the service with that slug, e.g. `piano`.
    package static func service(_ slug: String) -> ULID { id("service", slug) }

    static func slug(_ name: String) -> String { words(name).joined(separator: "-") }

    /// Lower-case words of ASCII letters and digits.
    static func words(_ text: String) -> [String] {
        text.utf8.split { !(($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x30 && $0 <= 0x39) }
            .map { String(decoding: $0.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self) }
    }

    /// A service with all that its rows need.
    struct Service: Sendable {
        var category: Category
        var subcategory: Subcategory
        var name: String
        var terms: [String]
        var slug: String
        var order: Int
    }

    static var services: [Service] {
        categories.flatMap { category in
            category.subcategories.flatMap { subcategory in
                subcategory.services.enumerated().map { index, service in
                    Service(
                        category: category, subcategory: subcategory, name: service.name,
                        terms: service.terms.split(separator: ",").map {
                            words(String($0)).joined(separator: " ")
                        },
                        slug: slug(service.name), order: index + 1)
                }
            }
        }
    }

    static let categories: [Category] = [
        Category(
            name: "Music", slug: "music", icon: "music", subtitle: "Instruments, voice and theory",
            subcategories: [
                Subcategory(
                    "Keyboard", ["Piano": "keys,keyboard", "Organ": "pipe", "Accordion": "squeezebox"]),
                Subcategory(
                    "Strings",
                    [
                        "Guitar": "acoustic,electric", "Violin": "fiddle", "Cello": "strings",
                        "Ukulele": "uke", "Bass Guitar": "bass", "Harp": "strings",
                    ]),
                Subcategory("Voice", ["Singing": "vocals,voice", "Opera": "classical voice"]),
                Subcategory(
                    "Winds and Brass",
                    [
                        "Flute": "woodwind", "Clarinet": "woodwind", "Saxophone": "sax,jazz",
                        "Trumpet": "brass",
                    ]),
                Subcategory("Rhythm", ["Drums": "percussion,beats", "Percussion": "congas,djembe"]),
                Subcategory("Production", ["Music Theory": "harmony", "DJ": "mixing,turntables"]),
            ]),
        Category(
            name: "Tutoring", slug: "tutoring", icon: "book", subtitle: "School, tests and college",
            subcategories: [
                Subcategory(
                    "Mathematics",
                    [
                        "Math": "mathematics,arithmetic", "Algebra": "equations", "Calculus": "derivatives",
                        "Geometry": "proofs", "Statistics": "probability,data",
                    ]),
                Subcategory(
                    "Science", ["Physics": "mechanics", "Chemistry": "organic", "Biology": "life science"]),
                Subcategory(
                    "Humanities",
                    [
                        "Reading": "literacy,phonics", "Essay Writing": "english,composition",
                        "History": "social studies",
                    ]),
                Subcategory(
                    "Test Preparation",
                    [
                        "SAT Prep": "college board", "ACT Prep": "college test", "GRE Prep": "graduate test",
                        "Regents Prep": "new york state",
                    ]),
                Subcategory(
                    "College",
                    [
                        "College Admissions": "application,essay",
                        "Study Skills": "executive function,homework",
                    ]),
            ]),
        Category(
            name: "Languages", slug: "languages", icon: "globe", subtitle: "Speak to everybody",
            subcategories: [
                Subcategory(
                    "European Languages",
                    [
                        "Spanish": "espanol", "French": "francais", "Italian": "italiano",
                        "German": "deutsch", "Portuguese": "brazil", "Russian": "slavic",
                    ]),
                Subcategory(
                    "Asian Languages",
                    ["Mandarin": "chinese", "Japanese": "nihongo", "Korean": "hangul", "Hindi": "india"]),
                Subcategory(
                    "English and Signs",
                    ["English as a Second Language": "esl", "American Sign Language": "asl,signing"]),
            ]),
        Category(
            name: "Sports and Fitness", slug: "sports-and-fitness", icon: "dumbbell", subtitle: "Get moving",
            subcategories: [
                Subcategory(
                    "Fitness",
                    [
                        "Personal Training": "gym,strength", "Yoga": "vinyasa,hatha",
                        "Pilates": "core,reformer", "Running": "marathon,jogging",
                    ]),
                Subcategory(
                    "Racket and Ball",
                    ["Tennis": "racket", "Basketball": "hoops", "Soccer": "football", "Golf": "swing"]),
                Subcategory("Water and Ice", ["Swimming": "pool,freestyle", "Ice Skating": "rink"]),
                Subcategory(
                    "Martial Arts",
                    [
                        "Boxing": "sparring", "Karate": "dojo", "Jiu Jitsu": "bjj,grappling",
                        "Self Defense": "krav maga",
                    ]),
            ]),
        Category(
            name: "Dance", slug: "dance", icon: "shoes", subtitle: "From the first step to the stage",
            subcategories: [
                Subcategory(
                    "Partner Dance",
                    ["Ballroom": "waltz,foxtrot", "Salsa": "latin,mambo", "Tango": "argentine"]),
                Subcategory(
                    "Solo Dance",
                    [
                        "Ballet": "barre,pointe", "Hip Hop": "street", "Tap": "rhythm",
                        "Contemporary Dance": "modern",
                    ]),
            ]),
        Category(
            name: "Arts", slug: "arts", icon: "palette", subtitle: "Make something",
            subcategories: [
                Subcategory(
                    "Visual Arts",
                    [
                        "Drawing": "sketching,pencil", "Painting": "watercolor,oil,acrylic",
                        "Photography": "camera,portrait", "Ceramics": "pottery,clay",
                    ]),
                Subcategory(
                    "Performing Arts",
                    [
                        "Acting": "theater,audition", "Improv": "comedy",
                        "Public Speaking": "speech,presentation",
                    ]),
            ]),
        Category(
            name: "Technology", slug: "technology", icon: "laptop", subtitle: "Code and tools",
            subcategories: [
                Subcategory(
                    "Programming",
                    [
                        "Python": "coding", "Web Development": "javascript,html,css",
                        "Scratch for Kids": "coding,block", "Robotics": "lego,arduino",
                    ]),
                Subcategory(
                    "Computer Skills",
                    [
                        "Excel": "spreadsheet", "Video Editing": "premiere,final cut",
                        "Graphic Design": "photoshop,illustrator",
                    ]),
            ]),
        Category(
            name: "Home and Life", slug: "home-and-life", icon: "home", subtitle: "Skills for every day",
            subcategories: [
                Subcategory("Kitchen", ["Cooking": "chef,cuisine", "Baking": "bread,pastry"]),
                Subcategory(
                    "Games and Crafts",
                    [
                        "Chess": "openings,endgame", "Sewing": "tailoring,fashion",
                        "Knitting": "crochet,yarn", "Gardening": "plants",
                    ]),
            ]),
    ]
}
