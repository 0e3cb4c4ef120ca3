import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Testing

/// What instructors pay for a lesson, and the settings that say so.
@Suite struct CommissionTests {
    static let now = TestClock.start

    private static func evaluated(
        _ percent: Double, _ completed: Int, lastDaysAgo: Int? = 1, isFounding: Bool = false,
        isPricing: Bool = false, _ config: PricingConfig = PricingConfig()
    ) -> Double {
        CommissionTier(
            isFounding: isFounding, current: Rate(percent: percent), completedInWindow: completed,
            lastCompletedAt: lastDaysAgo.map { now - .seconds($0 * 86_400) }, isPricingUncompleted: isPricing
        ).evaluated(config, now: now).percent
    }

    @Test(
        arguments: [
            (15, 0, 15), (15, 1, 15), (15, 4, 15), (15, 5, 12), (15, 10, 12), (15, 11, 10), (15, 500, 10),
            // A higher commission comes a step at a time.
            (10, 11, 10), (10, 5, 12), (10, 1, 12), (10, 0, 12), (12, 4, 15), (12, 11, 10),
        ] as [(Double, Int, Double)]) func theTierFollowsTheLessonsOfTheWindow(
            current: Double, completed: Int, next: Double
        )
    {
        #expect(Self.evaluated(current, completed) == next)
    }

    @Test func theLessonThatIsPricedCountsToo() {
        #expect(Self.evaluated(15, 4, isPricing: true) == 12)
        #expect(Self.evaluated(15, 10, isPricing: true) == 10)
        #expect(Self.evaluated(15, 3, isPricing: true) == 15)
    }

    @Test func whoNeverOrLongAgoCompletedALessonIsAtTheEntryTier() {
        #expect(Self.evaluated(10, 0, lastDaysAgo: nil) == 15)
        #expect(Self.evaluated(10, 0, lastDaysAgo: 91) == 15)
        #expect(Self.evaluated(10, 0, lastDaysAgo: 90) == 12)
    }

    @Test func foundingInstructorsKeepTheirsForLife() {
        #expect(Self.evaluated(8, 0, lastDaysAgo: nil, isFounding: true) == 8)
        #expect(Self.evaluated(15, 50, isFounding: true) == 8)
    }

    @Test func severalStepsAreTakenWhereTheSettingsAllowThem() {
        var config = PricingConfig()
        config.tierStepdownMax = 2
        #expect(Self.evaluated(10, 0, config) == 15)
    }

    @Test func theDefaultsAreAllowedAndSurviveStorage() throws {
        let config = PricingConfig()
        #expect(config.problems.isEmpty)
        let value = try JSONCoding.value(config)
        #expect(value["student_fee_pct"] == 0.12)
        #expect(value["instructor_tiers"]?[2]?["max"] == .null)
        #expect(try JSONCoding.decode(PricingConfig.self, from: value) == config)
    }

    @Test(
        arguments: [
            ([], "must not be empty"), ([(2, nil, 1_500)], "must begin at 1 lesson, not at 2"),
            ([(1, 4, 1_500)], "must have no max in its last tier"),
            ([(1, 4, 1_500), (6, nil, 1_200)], "must follow each other: after 4 comes 5, not 6"),
            ([(1, 4, 1_500), (4, nil, 1_200)], "must follow each other: after 4 comes 5, not 4"),
            ([(1, nil, 1_500), (5, nil, 1_200)], "must have a max of at least min in each but the last"),
            ([(1, 4, 1_200), (5, nil, 1_200)], "must get cheaper: 0.12 is not below 0.12"),
        ] as [([(Int, Int?, Int)], String)]) func wrongTiersAreNamed(
            tiers: [(Int, Int?, Int)], problem: String
        )
    {
        var config = PricingConfig()
        config.instructorTiers = tiers.map { .init(min: $0.0, max: $0.1, pct: Rate(basisPoints: $0.2)) }
        #expect(config.problems == [.init("instructor_tiers", problem)])
    }

    @Test func aShareIsRoundedHalfUpOnCents() {
        let rate = Rate(percent: 15)
        #expect(rate == Rate(fraction: 0.15))
        #expect(rate.share(ofCents: 10_000) == 1_500)
        #expect(rate.share(ofCents: 10) == 2)
        #expect(rate.share(ofCents: 3) == 0)
        #expect(Rate(fraction: 1.5) == nil)
    }
}
