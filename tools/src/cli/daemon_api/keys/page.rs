//! The certificate of a key as a page for people (Markdown).

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A report.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Page(pub(super) Value);

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        writeln!(f, "# Master key {}\n", text(&report["key"]["keyID"]))?;
        writeln!(f, "| | |\n|---|---|")?;
        for (name, value) in [
            ("State", &report["state"]),
            ("Cluster", &report["clusterName"]),
            ("Cluster UUID", &report["clusterUUID"]),
            ("Key management", &report["key"]["keyManagementType"]),
            ("Key provider", &report["key"]["keyProviderID"]),
            ("Created", &report["key"]["keyCreatedTime"]),
            ("This page", &report["written"]),
        ] {
            writeln!(f, "| {name} | {} |", text(value))?;
        }
        table(f, "Life", &report["states"], &["time", "state", "why", "auditHead"])?;
        table(f, "Dependants over time", &report["dependantsOverTime"], &["time", "count", "names"])?;
        list(f, "Dependants now", &report["dependantsNow"])?;
        if let Value::Object(word) = &report["word"] {
            let by = word.get("by").map_or_else(String::new, text);
            let forced = if word.get("isForced") == Some(&Value::Bool(true)) { ", by force" } else { "" };
            writeln!(f, "\n## Word of an administrator\n\n{by}{forced}, {}", text(&report["word"]["time"]))?;
        }
        proof(f, &report["proof"])?;
        table(f, "Answers at its end", &report["answers"], &["time", "place", "request", "answer"])?;
        list(f, "Servers that left while they held it", &report["copiesLeft"])?;
        list(f, "What this page cannot tell", &report["limits"])
    }
}

fn proof(f: &mut fmt::Formatter<'_>, proof: &Value) -> fmt::Result {
    if proof.is_null() {
        return writeln!(f, "\n## Proof\n\nThere is none.");
    }
    writeln!(
        f,
        "\n## Proof\n\nAt {} none of {} headers named this key. The key in force was {}, and these had just given it out: {}.",
        text(&proof["time"]),
        text(&proof["headers"]),
        text(&proof["keyInForceID"]),
        text(&proof["givenOutBy"]),
    )?;
    table(f, "Readings", &proof["readings"], &["header", "time", "keyIDs", "isEarlier"])
}

fn table(f: &mut fmt::Formatter<'_>, title: &str, rows: &Value, columns: &[&str]) -> fmt::Result {
    let Some(rows) = rows.as_array().filter(|rows| !rows.is_empty()) else { return Ok(()) };
    writeln!(f, "\n## {title}\n\n| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
    rows.iter().try_for_each(|row| {
        let cells: Vec<String> = columns.iter().map(|column| text(&row[*column])).collect();
        writeln!(f, "| {} |", cells.join(" | "))
    })
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, items: &Value) -> fmt::Result {
    let Some(items) = items.as_array().filter(|items| !items.is_empty()) else { return Ok(()) };
    writeln!(f, "\n## {title}\n")?;
    items.iter().try_for_each(|item| writeln!(f, "- {}", text(item)))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        // One that ends a cell of a table would change the page.
        Value::String(text) => text.replace('|', "\\|").replace('\n', " "),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_tells_every_part_and_nothing_ends_a_cell() {
        let page = Page(json!({
            "key": {"keyID": "k", "keyManagementType": "external", "keyProviderID": 1, "keyCreatedTime": "t"},
            "state": "destroyed", "clusterName": "c|d", "clusterUUID": "u", "written": "now",
            "states": [{"time": "t", "state": "active", "why": "made", "auditHead": null}],
            "dependantsOverTime": [{"time": "t", "count": 0, "names": []}], "dependantsNow": [], "word": null,
            "proof": {"time": "t", "headers": 1, "keyInForceID": "n", "givenOutBy": ["vault (ID 1)"],
                "readings": [{"header": "volume 1", "time": "t", "keyIDs": ["n"], "isEarlier": false}]},
            "answers": [{"time": "t", "place": "vault (ID 1)", "request": "destroy", "answer": "done"}],
            "copiesLeft": [], "limits": ["one"],
        }))
        .to_string();
        for part in
            ["# Master key k", "c\\|d", "| t | active | made | - |", "of 1 headers", "volume 1", "destroy | done"]
        {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
    }
}
