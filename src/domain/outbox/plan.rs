//! From events and rules to deliveries, and from a delivery to the bytes that are sent.

/// The body of a delivery: one event as it stands, several as a JSON array.
pub fn body(events: &[String]) -> String {
    match events {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}
