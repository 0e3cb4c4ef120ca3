package import Kernel

extension Feature {
    /// Finding services and instructors, and what people search for.
    package static let search = Feature(
        name: "search", summary: "Finding services and instructors, and what people search for.",
        operations: [
            SearchListings.self, RecordClick.self, ReadSearchHealth.self, ReadSearchConfig.self,
            UpdateSearchConfig.self, ResetSearchConfig.self, ReadSearchMetrics.self,
            ListPopularSearches.self, ListZeroResults.self, ListSearchHistory.self, RecordSearch.self,
            RecordGuestSearch.self, DeleteSearch.self, RecordInteraction.self,
            SearchTopQueries.self, SearchZeroResults.self,
        ],
        jobs: [
            CalculateSearchMetrics.self, GenerateSearchInsights.self, GenerateDailyReport.self,
            CleanupSearchHistory.self,
        ],
        migrations: [searchMigration])
}
