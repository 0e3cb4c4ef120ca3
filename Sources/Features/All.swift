package import Kernel

/// Every feature of the product, in the order in which clients see their tools.
package let allFeatures: [Feature] = [
    .jobs,
    .audit,
    .auth,
    .bookings,
    .inbox,
    .instructors,
    .invites,
    .messages,
    .notifications,
    .payments,
    .referrals,
    .reviews,
    .users,
    .webhooks,
]
