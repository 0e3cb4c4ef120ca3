/// What this binary is.
package enum Build {
    package static let service = "instainstru"
    package static let version = "0.1.0"
}
