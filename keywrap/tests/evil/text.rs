//! The JSON text before any of its members is looked at.

use super::Evil;
use super::support::{SIZE, healthy_json, volume};

fn text(name: &'static str, text: impl AsRef<[u8]>, error: &'static str) -> Evil {
    Evil { name, bytes: volume(text.as_ref()), error }
}

fn replaced(name: &'static str, from: &str, to: &str, error: &'static str) -> Evil {
    let healthy = healthy_json().to_string();
    assert!(healthy.contains(from), "{name}: {from} is in the healthy text");
    text(name, healthy.replacen(from, to, 1), error)
}

fn area_len() -> usize {
    SIZE.len() - 4096
}

fn unterminated() -> Vec<u8> {
    let mut text = healthy_json().to_string().into_bytes();
    text.resize(area_len(), b' ');
    text
}

fn rubbish_after_end() -> Vec<u8> {
    let mut text = healthy_json().to_string().into_bytes();
    text.resize(area_len(), 0);
    *text.last_mut().unwrap() = 1;
    text
}

fn nested(open: &str, close: &str, times: usize) -> String {
    let mut document = healthy_json().to_string();
    document.pop();
    format!("{document},\"x\":{}1{}}}", open.repeat(times), close.repeat(times))
}

pub(super) fn table() -> Vec<Evil> {
    let object = "JSON area: not an object";
    let not_u32 = "keyslots.0.key_size: not a number from 0 to 4294967295";
    let deep = "JSON area: more than 32 objects and arrays inside one another";
    vec![
        text("no JSON at all", "", object),
        text("an array", "[]", object),
        text("a number", "0", object),
        text("an empty object", "{}", "keyslots: missing"),
        text("not terminated", unterminated(), "JSON area: the text has no terminating zero byte"),
        text("bytes after the end", rubbish_after_end(), "JSON area: byte 12287 after the end of the text is not zero"),
        text("not UTF-8", b"{\"\xff\":1}", "JSON area: byte 2 is not UTF-8"),
        text("cut off", "{\"keyslots\":{", "JSON area: not JSON: EOF while parsing an object at line 1 column 13"),
        text(
            "two documents",
            format!("{0}{0}", json_without_config()),
            "JSON area: not JSON: trailing characters at line 1 column 15",
        ),
        text("a comma too many", "{\"a\":1,}", "JSON area: not JSON: trailing comma at line 1 column 8"),
        text("objects nested 33 deep", nested("{\"a\":", "}", 32), deep),
        text("arrays nested 5000 deep", nested("[", "]", 5000), deep),
        text("brackets never closed", "[".repeat(12_000), deep),
        replaced("a section twice", "{\"config\"", "{\"tokens\":{},\"config\"", "tokens: appears twice"),
        replaced(
            "a member twice",
            "\"key_size\":64",
            "\"key_size\":64,\"key_size\":32",
            "keyslots.0.area.key_size: appears twice",
        ),
        replaced(
            "a keyslot twice",
            "\"keyslots\":{\"0\":{",
            "\"keyslots\":{\"1\":{},\"0\":{",
            "keyslots.1: appears twice",
        ),
        replaced(
            "a number of 400 digits",
            "\"key_size\":64,\"type\":\"luks2\"",
            &format!("\"key_size\":{},\"type\":\"luks2\"", "9".repeat(400)),
            not_u32,
        ),
        replaced("a lone surrogate", "\"type\":\"foreign\"", "\"type\":\"\\ud800\"", "tokens.0.type: not a string"),
    ]
}

fn json_without_config() -> &'static str {
    "{\"keyslots\":0}"
}
