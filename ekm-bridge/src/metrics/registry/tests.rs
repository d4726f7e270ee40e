use std::time::Duration;

use super::*;

#[test]
fn a_registry_is_written_as_prometheus_reads_it() {
    let registry = Registry::new();
    let calls = registry.counters("calls_total", "Calls.", &["method", "outcome"]).unwrap();
    calls.with(&["GetAPI", "success"]).add(2);
    calls.with(&["GetAPI", "failed"]).increment();
    registry.gauges("up", "Whether it is.", &[]).unwrap().with(&[]).set(1.0);
    let latencies = registry.latencies("wait_seconds", "Waiting.", &[]).unwrap();
    latencies.with(&[]).observe(Duration::from_millis(200));
    let text = registry.expose();
    let expected = "\
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{method=\"GetAPI\",outcome=\"failed\"} 1
calls_total{method=\"GetAPI\",outcome=\"success\"} 2
# HELP up Whether it is.
# TYPE up gauge
up 1
# HELP wait_seconds Waiting.
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"0.0001\"} 0
";
    assert!(text.starts_with(expected), "{text}");
    let end = "wait_seconds_bucket{le=\"0.1\"} 0
wait_seconds_bucket{le=\"0.25\"} 1
wait_seconds_bucket{le=\"1\"} 1
wait_seconds_bucket{le=\"5\"} 1
wait_seconds_bucket{le=\"30\"} 1
wait_seconds_bucket{le=\"+Inf\"} 1
wait_seconds_sum 0.2
wait_seconds_count 1
";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn names_that_prometheus_refuses_are_refused_here() {
    let registry = Registry::new();
    for bad in ["", "1a", "a-b", "ä", "a b"] {
        assert_eq!(registry.gauges(bad, "", &[]).err(), Some(BadName::Syntax(bad.into())));
        assert_eq!(registry.gauges("ok", "", &[bad]).err(), Some(BadName::Syntax(bad.into())));
    }
    for bad in ["le", "__name__", "a:b"] {
        assert_eq!(registry.gauges("ok", "", &[bad]).err(), Some(BadName::Syntax(bad.into())));
    }
    assert_eq!(registry.counters("calls", "", &[]).err(), Some(BadName::Suffix("calls".into())));
    assert_eq!(registry.gauges("size_total", "", &[]).err(), Some(BadName::Suffix("size_total".into())));
    registry.gauges("ok", "", &[]).unwrap();
    assert_eq!(registry.gauges("ok", "", &[]).err(), Some(BadName::Taken("ok".into())));
}

#[test]
fn too_many_series_are_counted_together() {
    let registry = Registry::new();
    let calls = registry.counters("calls_total", "Calls.", &["method"]).unwrap();
    for n in 0..MAX_SERIES + 50 {
        calls.with(&[&n.to_string()]).increment();
    }
    calls.with(&["0"]).increment();
    assert_eq!(calls.with(&["other"]).get(), 50);
    assert_eq!(calls.with(&["0"]).get(), 2, "series that exist go on");
    assert_eq!(registry.expose().lines().count(), 2 + MAX_SERIES + 1);
}

#[test]
fn a_family_without_series_is_not_written_and_can_be_emptied() {
    let registry = Registry::new();
    let ages = registry.gauges("age_seconds", "Age.", &["key"]).unwrap();
    assert_eq!(registry.expose(), "");
    ages.with(&["a"]).set(3.0);
    assert!(registry.expose().contains("age_seconds{key=\"a\"} 3\n"));
    ages.clear();
    assert_eq!(registry.expose(), "");
}

#[test]
fn missing_label_values_are_empty_and_surplus_ones_ignored() {
    let registry = Registry::new();
    let calls = registry.counters("calls_total", "Calls.", &["a", "b"]).unwrap();
    calls.with(&["x"]).increment();
    calls.with(&["x", "y", "z"]).increment();
    let text = registry.expose();
    assert!(text.contains("{a=\"x\",b=\"\"} 1\n") && text.contains("{a=\"x\",b=\"y\"} 1\n"), "{text}");
}
