package import Kernel

/// Who calls over MCP, as the surface found out before the protocol was read.
package struct MCPCaller: Sendable {
    package var actor: Actor
    package var requestID: String?
    package var ip: String?
    package var userAgent: String?

    package init(actor: Actor, requestID: String? = nil, ip: String? = nil, userAgent: String? = nil) {
        self.actor = actor
        self.requestID = requestID
        self.ip = ip
        self.userAgent = userAgent
    }
}
