package import Kernel

extension Feature {
    /// What is taught, by whom and for how much.
    package static let catalog = Feature(
        name: "catalog", summary: "What is taught, by whom and for how much.",
        operations: [
            ListCategories.self, ListCatalog.self, SearchServices.self, ListTopServices.self,
            ListTaughtServices.self, ListKidsServices.self, AddInstructorService.self,
            ChangeCapabilities.self, ListInstructors.self, ServicesCatalog.self, ServiceLookup.self,
        ],
        jobs: [CalculateAnalytics.self], migrations: [catalogMigration, catalogSeedMigration])
}
