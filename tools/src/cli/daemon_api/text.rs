//! An answer as text: one line for each thing, names and values.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// An answer.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Told(pub(super) Value);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Array(things) => things.iter().try_for_each(|thing| writeln!(f, "{}", line(thing))),
            Value::Object(members) if members.is_empty() => write!(f, "done"),
            Value::Object(members) => {
                members.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {}", line(value)))
            }
            other => write!(f, "{}", line(other)),
        }
    }
}

fn line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name}={}", line(value))).collect::<Vec<_>>().join("  ")
        }
        Value::Array(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        // A certificate would fill the screen.
        Value::String(text) => text.lines().next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_has_a_line_for_each_thing_and_an_empty_answer_says_so() {
        let told = |value| Told(value).to_string();
        assert_eq!(told(json!([{"id": 1, "names": ["a", "b"]}, {"id": 2}])), "id=1  names=[a, b]\nid=2\n");
        assert_eq!(told(json!({})), "done");
        assert_eq!(told(json!({"pem": "first\nsecond"})), "pem: first\n");
    }
}
