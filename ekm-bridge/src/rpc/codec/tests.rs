use serde_json::json;

use super::*;

fn refusal(body: &str) -> Malformed {
    Request::parse(body.as_bytes()).expect_err(body)
}

#[test]
fn the_sdk_s_envelope_is_read() {
    let request = Request::parse(br#"{"method": "GetAPI", "id": 0, "params": {}}"#).unwrap();
    assert_eq!(request, Request { id: json!(0), method: "GetAPI".into(), params: Map::new() });
}

#[test]
fn params_may_be_missing_or_null_and_other_members_are_ignored() {
    for body in [r#"{"method":"m"}"#, r#"{"method":"m","params":null,"jsonrpc":"2.0","id":null}"#] {
        let request = Request::parse(body.as_bytes()).unwrap();
        assert_eq!(request, Request { id: Value::Null, method: "m".into(), params: Map::new() });
    }
}

#[test]
fn what_is_no_request_is_refused_with_code_400_and_its_id() {
    let cases = [
        ("", Value::Null),
        ("{", Value::Null),
        ("\u{feff}{}", Value::Null),
        ("[]", Value::Null),
        (r#"[{"method":"GetAPI","id":1}]"#, Value::Null),
        ("7", Value::Null),
        (r#"{"id":3}"#, json!(3)),
        (r#"{"id":"a","method":7}"#, json!("a")),
        (r#"{"id":4,"method":"m","params":[1]}"#, json!(4)),
        (r#"{"id":4,"method":"m","params":"x"}"#, json!(4)),
        (r#"{"id":[4],"method":"m"}"#, Value::Null),
        (r#"{"id":{},"method":"m"}"#, Value::Null),
        (r#"{"id":1,"method":"m"} trailing"#, Value::Null),
    ];
    for (body, id) in cases {
        let refusal = refusal(body);
        assert_eq!(refusal.id, id, "{body}");
        assert_eq!(refusal.error.name, ErrorName::InvalidRequest, "{body}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    assert!(Request::parse(b"{\"method\":\"\xff\"}").is_err());
}

#[test]
fn nesting_has_a_limit_at_every_depth() {
    let nested = |depth: usize| {
        let value = "[".repeat(depth) + &"]".repeat(depth);
        Request::parse(format!(r#"{{"method":"m","params":{{"p":{value}}}}}"#).as_bytes())
    };
    assert!(nested(MAX_DEPTH).is_ok());
    for depth in [MAX_DEPTH + 1, 100, 127, 1_000, 100_000] {
        assert!(nested(depth).is_err(), "{depth}");
    }
}

#[test]
fn a_method_s_name_has_a_limit() {
    let named = |len: usize| Request::parse(format!(r#"{{"method":"{}"}}"#, "m".repeat(len)).as_bytes());
    assert!(named(MAX_METHOD_LEN).is_ok());
    assert!(named(MAX_METHOD_LEN + 1).is_err());
}

#[test]
fn success_has_a_result_and_no_error() {
    let reply = Ok(Reply { result: json!({}), unused: Vec::new() });
    assert_eq!(encode(&json!(1), &reply), br#"{"id":1,"result":{}}"#);
}

#[test]
fn ignored_parameters_are_listed() {
    let reply = Ok(Reply { result: json!({"a": 1}), unused: vec!["foo".into()] });
    assert_eq!(encode(&json!("x"), &reply), br#"{"id":"x","result":{"a":1},"unusedParameters":["foo"]}"#);
}

#[test]
fn failure_has_an_error_and_no_result() {
    let outcome = Err(ApiError::new(ErrorName::UnknownApiMethod, "method=Foo").caused_by("hidden"));
    let text = r#"{"id":2,"error":{"code":500,"name":"xUnknownAPIMethod","message":"method=Foo"}}"#;
    assert_eq!(encode(&json!(2), &outcome), text.as_bytes());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Request::parse(&body);
    }
}
