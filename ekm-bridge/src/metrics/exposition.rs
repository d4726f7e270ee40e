//! Prometheus' text format, version 0.0.4: one line each, labels escaped.

use std::fmt::Write;

use super::value::{Counter, Gauge, Histogram};

/// The media type of what [`super::Registry::expose`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A value that can be written.
pub(super) trait Kind {
    /// As `# TYPE` calls it.
    const KIND: &'static str;

    /// Writes the lines of one series.
    fn write(&self, text: &mut String, name: &str, labels: &[(&str, &str)]);
}

impl Kind for Counter {
    const KIND: &'static str = "counter";

    fn write(&self, text: &mut String, name: &str, labels: &[(&str, &str)]) {
        line(text, name, labels, &self.get().to_string());
    }
}

impl Kind for Gauge {
    const KIND: &'static str = "gauge";

    fn write(&self, text: &mut String, name: &str, labels: &[(&str, &str)]) {
        line(text, name, labels, &number(self.get()));
    }
}

impl Kind for Histogram {
    const KIND: &'static str = "histogram";

    fn write(&self, text: &mut String, name: &str, labels: &[(&str, &str)]) {
        let cumulative = self.cumulative();
        for (bound, count) in &cumulative {
            let bound = number(*bound);
            let labels = [labels, &[("le", &bound)]].concat();
            line(text, &format!("{name}_bucket"), &labels, &count.to_string());
        }
        // The same reading as the last bucket, which must be equal to it.
        let count = cumulative.last().map_or(0, |(_, count)| *count);
        line(text, &format!("{name}_sum"), labels, &number(self.sum_seconds()));
        line(text, &format!("{name}_count"), labels, &count.to_string());
    }
}

/// `# HELP` and `# TYPE`.
pub(super) fn header(text: &mut String, name: &str, help: &str, kind: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

/// A label value: backslash, quote and line break are escaped, everything else stands for itself.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A number as Go's `ParseFloat` reads it.
fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".into(),
        _ if value == f64::INFINITY => "+Inf".into(),
        _ if value == f64::NEG_INFINITY => "-Inf".into(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_reads_them() {
        let numbers = [0.0, 1.0, 0.000_1, 1e21, -2.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(number);
        assert_eq!(numbers, ["0", "1", "0.0001", "1000000000000000000000", "-2.5", "+Inf", "-Inf", "NaN"]);
    }

    #[test]
    fn labels_and_help_are_escaped_each_in_its_way() {
        let mut text = String::new();
        header(&mut text, "a", "one\ntwo \\ \"three\"", "gauge");
        line(&mut text, "a", &[("l", "x\"y\\z\nw"), ("m", "ü")], "1");
        assert_eq!(text, "# HELP a one\\ntwo \\\\ \"three\"\n# TYPE a gauge\na{l=\"x\\\"y\\\\z\\nw\",m=\"ü\"} 1\n");
    }
}
