import JSON
import MCP

/// Tools whose answers show every kind of content.
enum ContentFixtures {
    /// A red pixel as PNG.
    static let image =
        Base64.decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
        ) ?? []
    /// A silent WAV without samples.
    static let audio =
        Array("RIFF".utf8) + [36, 0, 0, 0] + Array("WAVEfmt ".utf8)
        + [16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0] + Array("data".utf8)
        + [0, 0, 0, 0]

    static var all: [Fixture] {
        [
            Fixture("test_simple_text", "Answers with text.") { _ in
                .text("This is a simple text response for testing.")
            },
            Fixture("test_image_content", "Answers with an image.") { _ in
                .result(ToolResult(content: [.image(image, mimeType: "image/png")]))
            },
            Fixture("test_audio_content", "Answers with sound.") { _ in
                .result(ToolResult(content: [.audio(audio, mimeType: "audio/wav")]))
            },
            Fixture("test_embedded_resource", "Answers with a resource in full.") { _ in
                .result(
                    ToolResult(content: [
                        .resource(
                            ResourceContents(
                                uri: "test://embedded-resource", mimeType: "text/plain",
                                .text("This is an embedded resource content.")))
                    ]))
            },
            Fixture("test_multiple_content_types", "Answers with text, an image and a resource.") { _ in
                .result(
                    ToolResult(content: [
                        .text("Multiple content types test:"), .image(image, mimeType: "image/png"),
                        .resource(
                            ResourceContents(
                                uri: "test://mixed-content-resource", mimeType: "application/json",
                                .text(#"{"test":"data","value":123}"#))),
                    ]))
            },
            Fixture("test_error_handling", "Always fails.") { _ in
                .failure("This tool intentionally returns an error for testing")
            },
            Fixture("json_schema_2020_12_tool", "Has a schema with the newer keywords.", schema: keywords) {
                _ in
                .text("The schema is in the list.")
            },
            Fixture(
                "test_header_parameter", "Repeats an argument that also travels in a header.",
                schema: header
            ) {
                .text("Region: \($0.arguments["region"]?.stringValue ?? "none")")
            },
        ]
    }

    private static let header: JSONValue = [
        "type": "object", "properties": ["region": ["type": "string", "x-mcp-header": "Region"]],
    ]

    /// The suite compares these keywords with what `tools/list` sends.
    private static let keywords: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": [
            "address": [
                "$anchor": "addressDef", "type": "object",
                "properties": ["street": ["type": "string"], "city": ["type": "string"]],
            ]
        ],
        "properties": [
            "name": ["type": "string"], "address": ["$ref": "#/$defs/address"],
            "contactMethod": ["type": "string", "enum": ["phone", "email"]], "phone": ["type": "string"],
            "email": ["type": "string"],
        ],
        "allOf": [["anyOf": [["required": ["phone"]], ["required": ["email"]]]]],
        "if": ["properties": ["contactMethod": ["const": "phone"]], "required": ["contactMethod"]],
        "then": ["required": ["phone"]],
        "else": ["required": ["email"]],
        "additionalProperties": false,
    ]
}
