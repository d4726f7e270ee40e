//! One way to write a JSON value: no spaces, members in the order of their names (by Unicode code point), strings as
//! `serde_json` escapes them. Whatever order a map keeps in memory, the same value gives the same bytes.

use serde_json::Value;

/// The bytes of `value`.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            enclosed('{', '}', members, text, |(name, value), text| {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            });
        }
        Value::Array(items) => enclosed('[', ']', items, text, write),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn enclosed<T>(
    open: char,
    close: char,
    items: impl IntoIterator<Item = T>,
    text: &mut String,
    mut each: impl FnMut(T, &mut String),
) {
    text.push(open);
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        each(item, text);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_at_every_depth_and_nothing_else_changes() {
        let value = json!({"b": [1, {"z": null, "a": true}], "a": "line\nbreak \u{0} \"quoted\" é", "B": -1.5});
        let text = r#"{"B":-1.5,"a":"line\nbreak \u0000 \"quoted\" é","b":[1,{"a":true,"z":null}]}"#;
        assert_eq!(canonical(&value), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }

    #[test]
    fn no_value_contains_a_line_break_or_a_zero_byte() {
        let text = canonical(&json!({"\n": "\r\n\u{0}"}));
        assert!(!text.contains(['\n', '\r', '\0']), "{text}");
    }
}
