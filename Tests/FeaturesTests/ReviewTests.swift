import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct ReviewTests {
    static func write(
        _ platform: TestPlatform, _ booking: ULID, _ student: ULID, _ rating: Int = 5, _ text: String? = nil
    ) async throws -> Review {
        try await platform.act { tx, context in
            try Review.write(
                booking: booking, student: student, rating: rating, text: text, tx, context)
        }
    }

    static func failure(
        _ platform: TestPlatform, _ booking: ULID, _ student: ULID, _ text: String? = nil
    ) async throws -> Failure? {
        try await platform.refusal { tx, context in
            _ = try Review.write(booking: booking, student: student, rating: 4, text: text, tx, context)
        }
    }

    static func rating(_ platform: TestPlatform, _ instructor: ULID) async throws -> Rating {
        try await platform.database.read { try Rating.of(instructor, $0) }
    }

    @Test(arguments: TestDatabase.available)
    func onlyTheStudentOfACompletedLessonReviewsItOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, instructor) = (try await platform.newUser(), try await platform.newUser())
            for status in BookingStatus.allCases where status != .completed {
                let booking = try await platform.givenBooking(
                    student: student, instructor: instructor, status)
                let failure = try await Self.failure(platform, booking, student)
                #expect(failure?.reason == "booking_not_completed", "\(status)")
            }
            let booking = try await platform.givenBooking(student: student, instructor: instructor)
            #expect(try await Self.failure(platform, booking, platform.newUser())?.code == .notFound)
            #expect(try await Self.failure(platform, booking, instructor)?.code == .notFound)
            #expect(try await Self.failure(platform, platform.newID(), student)?.code == .notFound)
            #expect(try await Self.failure(platform, booking, student, "ab")?.code == .invalidInput)
            let review = try await Self.write(platform, booking, student, 4, "Good\u{202E} lesson")
            #expect(review.text == "Good lesson" && review.instructorID == instructor && review.isVerified)
            #expect(try await Self.failure(platform, booking, student)?.reason == "review_exists")
            #expect(try await Self.rating(platform, instructor) == Rating(count: 1, sum: 4))
            let known = try await platform.database.read {
                try Review.reviewed([booking, student], by: student, $0)
            }
            #expect(known == [booking])
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofTwoReviewsAtOnceOneCounts(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, instructor) = (try await platform.newUser(), try await platform.newUser())
            let booking = try await platform.givenBooking(student: student, instructor: instructor)
            let failures = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await Self.failure(platform, booking, student)?.reason }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(failures.count { $0 == nil } == 1)
            #expect(failures.count { $0 == "review_exists" } == 5)
            #expect(try await Self.rating(platform, instructor) == Rating(count: 1, sum: 4))
        }
    }

    @Test(arguments: TestDatabase.available)
    func theInstructorAnswersOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (student, instructor) = (try await platform.newUser(), try await platform.newUser())
            let booking = try await platform.givenBooking(student: student, instructor: instructor)
            let review = try await Self.write(platform, booking, student)
            let respond = { (user: ULID, text: String) in
                try await platform.refusal { tx, context in
                    try Review.lock(review.id, tx).respond(text, by: user, tx, context)
                }
            }
            #expect(try await respond(student, "Thanks")?.code == .notFound)
            #expect(try await respond(instructor, "  ")?.code == .invalidInput)
            #expect(try await respond(instructor, "Thanks") == nil)
            #expect(try await respond(instructor, "Thanks again")?.reason == "response_exists")
            let found = try await platform.database.read { try Review.find(booking: booking, $0) }
            #expect(found?.response == "Thanks" && found?.respondedAt == platform.now)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theRollUpIsTheSumOfThePublishedReviews(dialect: Dialect) async throws {
        let seed = SeededGenerator.randomSeed()
        try await TestPlatform.with(dialect) { platform in
            var random = SeededGenerator(seed: seed)
            let instructors = try await platform.newUsers(3)
            var reviews: [(id: ULID, instructor: ULID, rating: Int, status: ReviewStatus)] = []
            for _ in 0..<60 {
                if reviews.isEmpty || Bool.random(using: &random) {
                    let instructor = instructors[Int.random(in: 0..<3, using: &random)]
                    let (student, rating) = (
                        try await platform.newUser(), Int.random(in: 1...5, using: &random)
                    )
                    let booking = try await platform.givenBooking(student: student, instructor: instructor)
                    let review = try await Self.write(platform, booking, student, rating)
                    reviews.append((review.id, instructor, rating, .published))
                } else {
                    let index = Int.random(in: 0..<reviews.count, using: &random)
                    let statuses = ReviewStatus.allCases
                    let next = statuses[Int.random(in: 0..<statuses.count, using: &random)]
                    let (id, before) = (reviews[index].id, reviews[index].status)
                    let failure = try await platform.refusal { tx, context in
                        try Review.lock(id, tx).moderate(next, reason: "looked at", tx, context)
                    }
                    let isAllowed = before != .removed || next == .removed
                    #expect((failure == nil) == isAllowed, "seed \(seed)")
                    if isAllowed { reviews[index].status = next }
                }
            }
            for instructor in instructors {
                let shown = reviews.filter { $0.instructor == instructor && $0.status == .published }
                let rating = try await Self.rating(platform, instructor)
                let sum = shown.reduce(0) { $0 + $1.rating }
                #expect(rating == Rating(count: shown.count, sum: sum), "seed \(seed)")
                let list = try await platform.database.read {
                    try Review.page(of: instructor, after: nil, limit: 100, $0).map(\.id)
                }
                #expect(list == shown.map(\.id).reversed(), "seed \(seed)")
            }
        }
    }

    @Test func anAverageIsRoundedHalfUpToTwoPlaces() {
        #expect(Rating().average == nil)
        #expect(Rating(count: 3, sum: 14).average == 4.67)
        #expect(Rating(count: 3, sum: 13).average == 4.33)
        #expect(Rating(count: 8, sum: 33).average == 4.13, "4.125")
        #expect(Rating(count: 1, sum: 5).average == 5)
    }

    @Test(arguments: TestDatabase.available)
    func ratingsOfManyCostOneStatement(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let instructors = try await platform.newUsers(20)
            for instructor in instructors.prefix(10) {
                let student = try await platform.newUser()
                let booking = try await platform.givenBooking(student: student, instructor: instructor)
                _ = try await Self.write(platform, booking, student, 3)
            }
            _ = platform.database.takeStatementCount()
            let ratings = try await platform.database.read { try Rating.of(instructors, $0) }
            #expect(platform.database.takeStatementCount() == 1)
            #expect(Set(ratings.keys) == Set(instructors.prefix(10)))
        }
    }
}
