package import JSON
package import Kernel

/// The OpenAPI 3.1 description of the REST surface, made from the operations.
package enum OpenAPI {
    package static func document(_ platform: Platform) -> JSONValue {
        document(platform.runner.catalog, webhooks: platform.features.flatMap(\.webhooks))
    }

    package static func document(_ catalog: OperationCatalog, webhooks: [any WebhookSource.Type]) -> JSONValue
    {
        var paths: JSONObject = [:]
        for operation in catalog.all {
            let path =
                "/"
                + operation.path.split(separator: "/")
                .map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }.joined(separator: "/")
            var methods = paths[path]?.objectValue ?? [:]
            methods[operation.route.method.rawValue.lowercased()] = .object(description(operation))
            paths[path] = .object(methods)
        }
        for path in ["/api/v1/health", "/health", "/ready"] { paths[path] = status(path) }
        for webhook in webhooks { paths[webhook.path] = delivery(webhook) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "InstaInstru admin operations", "version": .string(Build.version),
                "description": .string(about),
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": [
                    "serviceToken": ["type": "http", "scheme": "bearer"],
                    "accessToken": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                ],
                "schemas": ["Problem": problem],
            ],
        ]
    }

    private static let about =
        """
        Every operation below /api/v1/admin/mcp/ is also the MCP tool instainstru_<operationId> and the command line \
        verb of that name. The others are for people: students, instructors and administrators who sign in.
        """

    private static func description(_ operation: OperationDescriptor) -> JSONObject {
        let isGet = operation.route.method == .get
        let inPath = Set(operation.route.parameters)
        var parameters: [JSONValue] = []
        var bodyProperties: JSONObject = [:]
        var required: [JSONValue] = []
        for parameter in operation.parameters {
            let isPath = inPath.contains(parameter.name)
            if !isPath, !isGet {
                bodyProperties[parameter.name] = .object(parameter.memberSchema)
                if parameter.isRequired { required.append(.string(parameter.name)) }
                continue
            }
            var schema = parameter.schema
            schema.removeValue(forKey: "description")
            parameters.append([
                "name": .string(parameter.name), "in": .string(isPath ? "path" : "query"),
                "required": .bool(isPath || parameter.isRequired), "description": .string(parameter.summary),
                "schema": .object(schema),
            ])
        }
        var result: JSONObject = [
            "operationId": .string(operation.name), "summary": .string(operation.title),
            "description": .string(operation.summary), "tags": [.string(operation.feature)],
            "security": security(operation),
            "parameters": .array(parameters),
        ]
        if !isGet {
            var schema: JSONObject = [
                "type": "object", "properties": .object(bodyProperties), "additionalProperties": false,
            ]
            if !required.isEmpty { schema["required"] = .array(required) }
            if operation.route.method == .delete, bodyProperties.isEmpty { return finish(result, operation) }
            var content: JSONObject = ["application/json": ["schema": .object(schema)]]
            if operation.acceptsForm {
                content["application/x-www-form-urlencoded"] = ["schema": .object(schema)]
            }
            result["requestBody"] = ["required": .bool(!required.isEmpty), "content": .object(content)]
        }
        return finish(result, operation)
    }

    private static func finish(_ description: JSONObject, _ operation: OperationDescriptor) -> JSONObject {
        var result = description
        result["responses"] = .object(responses(operation))
        return result
    }

    private static func security(_ operation: OperationDescriptor) -> JSONValue {
        switch operation.audience {
        case .operators: [["serviceToken": [.string(operation.scope.rawValue)]]]
        case .anyone: []
        case .users, .holders: [["accessToken": []]]
        }
    }

    private static func responses(_ operation: OperationDescriptor) -> JSONObject {
        var result: JSONObject = [
            operation.creates ? "201" : "200": [
                "description": "The answer.",
                "content": ["application/json": ["schema": operation.outputSchema]],
            ]
        ]
        var failures = [
            ("400", "The request is not valid HTTP, JSON or percent-encoding."), ("401", "No usable token."),
            ("403", "The token lacks the scope."), ("404", "No such row."),
            ("409", "The state does not allow it."),
            ("422", "Arguments are wrong; each is named."),
            ("428", "Something is required first; the code says what."),
            ("429", "Too many calls; see Retry-After."),
            ("503", "A dependency did not answer; see Retry-After."),
        ]
        if operation.route.method != .get {
            failures += [("413", "The body is too large."), ("415", "The body is not JSON.")]
        }
        for (status, text) in failures { result[status] = problemResponse(text) }
        return result
    }

    private static func problemResponse(_ text: String) -> JSONValue {
        [
            "description": .string(text),
            "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
        ]
    }

    private static let problem: JSONValue = [
        "type": "object", "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "detail", "instance", "request_id"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
            "detail": ["type": "string"], "instance": ["type": "string"], "code": ["type": "string"],
            "request_id": ["type": "string"], "hint": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object",
                    "properties": ["field": ["type": "string"], "message": ["type": "string"]],
                    "required": ["field", "message"],
                ],
            ],
        ],
    ]

    private static func status(_ path: String) -> JSONValue {
        var responses: JSONObject = [
            "200": [
                "description": "As it should be.",
                "content": ["application/json": ["schema": ["type": "object"]]],
            ]
        ]
        if path == "/ready" {
            responses["503"] = [
                "description": "Something that is needed does not answer.",
                "content": ["application/json": ["schema": ["type": "object"]]],
            ]
        }
        return [
            "get": [
                "operationId": .string("get" + path.replacing("/", with: "_")), "tags": ["status"],
                "security": [],
                "responses": .object(responses),
            ]
        ]
    }

    private static func delivery(_ webhook: any WebhookSource.Type) -> JSONValue {
        var responses: JSONObject = [
            "200": [
                "description": "Stored durably, or known already.",
                "content": [
                    "application/json": [
                        "schema": [
                            "type": "object", "required": ["ok", "status", "webhook_id"],
                            "properties": [
                                "ok": ["type": "boolean"], "status": ["type": "string"],
                                "webhook_id": ["type": "string"],
                            ],
                        ]
                    ]
                ],
            ]
        ]
        for (status, text) in [
            ("400", "Not a valid signed event."), ("401", "Credentials or signature are missing or wrong."),
            ("403", "Credentials are wrong."), ("413", "The body is too large."),
            ("500", "The source is not configured here."), ("503", "Not stored; send it again."),
        ] { responses[status] = problemResponse(text) }
        return [
            "post": [
                "operationId": .string("receive_\(webhook.name)"), "tags": ["webhooks"], "security": [],
                "summary": .string("Webhook endpoint of \(webhook.name)"),
                "requestBody": [
                    "required": true, "content": ["application/json": ["schema": ["type": "object"]]],
                ],
                "responses": .object(responses),
            ]
        ]
    }
}
