package import Kernel

/// Every feature of the product, in the order in which clients see their tools.
package let allFeatures: [Feature] = [
    .jobs,
    .audit,
    .auth,
    .availability,
    .bookings,
    .catalog,
    .instructors,
    .notifications,
    .payments,
    .search,
    .users,
    .webhooks,
]
