//! What rules say of calls and requests, and what conditions cannot be.

use serde_json::{Value, json};

use super::*;

fn rules(policy: Value, on: On) -> Rules {
    Rules::of(&json!({}), [&json!({"sinew": {"policy": policy}})], on)
}

fn call(tool: &str, input: &Value) -> CallFacts {
    CallFacts {
        tool: tool.to_owned(),
        kind: "built_in",
        server: String::new(),
        input: input.clone(),
        count: 3,
        count_all: 5,
    }
}

fn ruled(condition: &str, tool: &str, input: &Value) -> Option<Ruling> {
    let policy = json!([{"on": "call", "when": condition, "then": "ask", "reason": "why"}]);
    rules(policy, On::Call).rule(&[call(tool, input)]).remove(0)
}

#[test]
fn conditions_see_the_call() {
    let input = json!({"command": "rm -rf build", "amount": 12.5, "n": 3, "big": 18446744073709551615u64,
        "list": [1, 2, {"deep": null}], "file_path": "src/../../etc/./passwd", "url": "https://Docs.Example.com:8443/a?b"});
    for condition in [
        "true",
        "tool == 'bash' && kind == 'built_in' && server == ''",
        "input.command.startsWith('rm ') || input.command.matches('^sudo')",
        "input.amount > 10 && input.n == 3 && input.n + 1 == 4",
        "input.big > 1",
        "path == '/etc/passwd'",
        "host == 'docs.example.com' && url.endsWith('?b') && method == ''",
        "count >= 3 && count_all == 5",
        "input.list.exists(one, one == 2) && size(input.list) == 3",
        "has(input.amount) && !has(input.other)",
        "tool in ['bash', 'write']",
        "input['command'].contains('build')",
        "input.list[2].deep == null",
    ] {
        assert_eq!(check(condition, On::Call), Ok(()), "{condition}");
        let ruling = ruled(condition, "bash", &input).expect(condition);
        assert_eq!(
            ruling.verdict,
            Verdict::Ask,
            "{condition}: {}",
            ruling.reason
        );
        assert_eq!(
            (ruling.owner, ruling.rule, ruling.reason.as_str()),
            ("agent", 1, "why")
        );
        let not = format!("!({condition})");
        assert_eq!(ruled(&not, "bash", &input), None, "{not}");
    }
}

#[test]
fn what_cannot_be_evaluated_denies() {
    let input = json!({"n": 1, "text": "x"});
    for (condition, why) in [
        ("input.amount > 1", "there is no field \"amount\""),
        ("input.n", "comes to int"),
        ("1 / (input.n - 1) == 1", "divides by zero"),
        ("input.text + 1 == 'x'", "no such operation"),
        ("input.text.matches('[')", "between quotes"),
        ("9223372036854775807 + input.n > 0", "too large"),
        ("((", "not an expression"),
    ] {
        let ruling = ruled(condition, "bash", &input).expect(condition);
        assert_eq!(ruling.verdict, Verdict::Deny, "{condition}");
        assert!(
            ruling.reason.contains(why),
            "{condition}: {}",
            ruling.reason
        );
    }
    let long = json!({"list": vec![1; facts::LOOPED_MAX + 1]});
    let ruling = ruled("input.list.exists(x, x == 7)", "bash", &long).unwrap();
    assert!(
        ruling.reason.contains("loops over more than"),
        "{}",
        ruling.reason
    );
    let large = json!({"text": "x".repeat(facts::INPUT_BYTES_MAX)});
    let ruling = ruled("false", "bash", &large).unwrap();
    assert_eq!(ruling.verdict, Verdict::Deny);
    // A field that is missing does not matter where another part decides.
    assert_eq!(
        ruled("tool == 'write' && input.amount > 1", "bash", &input),
        None
    );
}

#[test]
fn the_first_rule_counts_and_of_two_owners_the_stricter() {
    let config = json!({
        "agent": {"sinew": {"policy": [
            {"on": "call", "when": "tool == 'read'", "then": "allow", "reason": ""},
            {"on": "request", "when": "true", "then": "deny", "reason": ""},
            {"on": "call", "when": "tool in ['read', 'write']", "then": "deny", "reason": "no"},
        ]}},
        "sinew": {"policy": [{"on": "call", "when": "tool in ['read', 'glob']", "then": "ask", "reason": "look"}]},
    });
    let rules = Rules::of(&config, [config.at("agent")], On::Call);
    let input = json!({});
    let calls = ["read", "write", "glob", "bash"].map(|tool| call(tool, &input));
    let rulings = rules.rule(&calls);
    let short: Vec<_> = rulings
        .iter()
        .map(|ruling| {
            let ruling = ruling.as_ref()?;
            Some((ruling.verdict, ruling.owner, ruling.rule))
        })
        .collect();
    assert_eq!(
        short,
        [
            Some((Verdict::Ask, "session", 1)),
            Some((Verdict::Deny, "agent", 3)),
            Some((Verdict::Ask, "session", 1)),
            None,
        ]
    );
    assert!(Rules::of(&json!({}), [&json!({})], On::Call).is_empty());
}

#[test]
fn conditions_see_the_request() {
    let request = RequestFacts {
        scheme: "https".to_owned(),
        host: "api.example.com".to_owned(),
        port: 443,
        method: "post".to_owned(),
        path: "//v%31/%70ay%2Fx".to_owned(),
        query: "a=1".to_owned(),
    };
    let policy = json!([{"on": "request", "then": "deny", "reason": "",
        "when": "method != 'GET' && host.endsWith('.example.com') && port == 443 && method == 'POST' && path == '/v1/pay%2Fx' && query != '' && scheme == 'https'"}]);
    let ruling = rules(policy, On::Request)
        .rule(&[request])
        .remove(0)
        .unwrap();
    assert_eq!(ruling.verdict, Verdict::Deny);
}

/// Why: a rule on a host must see the host that the tool asks.
#[test]
fn hosts_of_calls_are_those_that_are_asked() {
    for url in [
        "evil.com/x",
        "evil.com:443/x",
        " https://EVIL.com./",
        "https://good.com@evil.com/",
    ] {
        let ruling = ruled("host == 'evil.com'", "web_fetch", &json!({"url": url}));
        assert_eq!(
            ruling.map(|ruling| ruling.verdict),
            Some(Verdict::Ask),
            "{url}"
        );
    }
    for url in [
        "https://good.com\\@evil.com/",
        "https://",
        "https://go\tod.com",
    ] {
        let ruling = ruled("host == 'evil.com'", "web_fetch", &json!({"url": url}));
        assert_eq!(
            ruling.map(|ruling| ruling.verdict),
            Some(Verdict::Deny),
            "{url}"
        );
    }
}

/// Why: a session that was made elsewhere brings rules that nobody checked here.
#[test]
fn rules_that_were_never_checked_deny() {
    let nested = "[1].map(a, [1].map(b, a)) == []";
    let long = format!("true{}", " ".repeat(CONDITION_BYTES_MAX));
    for condition in [nested, &long, "name == 1"] {
        let ruling = ruled(condition, "bash", &json!({})).unwrap();
        assert_eq!(ruling.verdict, Verdict::Deny, "{condition}");
    }
    let many =
        vec![json!({"on": "call", "when": "false", "then": "deny", "reason": ""}); RULES_MAX + 1];
    let ruling = rules(json!(many), On::Call)
        .rule(&[call("bash", &json!({}))])
        .remove(0);
    assert!(ruling.unwrap().reason.contains("more than"));
}

#[test]
fn wrong_conditions_are_refused_with_what_is_wrong() {
    for (condition, on, fragment) in [
        (
            "tool = 'bash'",
            On::Call,
            "not an expression of CEL: character",
        ),
        ("", On::Call, "not an expression"),
        (
            "name == 'bash'",
            On::Call,
            "there is no variable \"name\"; there are count, count_all",
        ),
        ("input.x > 1", On::Request, "there is no variable \"input\""),
        (
            "scheme == 'http'",
            On::Call,
            "there is no variable \"scheme\"",
        ),
        (
            "lower(tool) == 'x'",
            On::Call,
            "there is no function \"lower\"",
        ),
        (
            "input.a.all(x, input.b.all(y, x == y))",
            On::Call,
            "another loop",
        ),
        (
            "input.a.map(x, x) == []",
            On::Call,
            "other loops there are none",
        ),
        ("input.a.exists(x, x + 'a' == 'b')", On::Call, "nor +"),
        (
            "google.protobuf.Any{} == input",
            On::Call,
            "there are no messages",
        ),
        ("x.all(x, true)", On::Call, "there is no variable \"x\""),
        (
            "tool.matches(input.pattern)",
            On::Call,
            "pattern of matches()",
        ),
        (
            "input.a.exists(x, x.matches('a'))",
            On::Call,
            "matches() or in",
        ),
        (
            "input.a.exists(x, x in input.b)",
            On::Call,
            "matches() or in",
        ),
    ] {
        let error = check(condition, on).expect_err(condition).to_string();
        assert!(error.contains(fragment), "{condition}: {error}");
    }
    let long = format!("{}true", " ".repeat(CONDITION_BYTES_MAX));
    assert_eq!(check(&long, On::Call), Err(RuleError::TooLong));
}

/// Why: both recurse, and a stack that overflows ends the whole daemon.
#[test]
fn the_deepest_conditions_are_parsed_and_evaluated() {
    let within = |text: String| text[..text.len().min(CONDITION_BYTES_MAX)].to_owned();
    let deepest = CONDITION_BYTES_MAX / 2 - 10;
    for condition in [
        format!("{}true{}", "(".repeat(deepest), ")".repeat(deepest)),
        format!("size({}{}) == 1", "[".repeat(deepest), "]".repeat(deepest)),
        format!("count{} > 0", "+1".repeat(deepest)),
        format!("input{} == 1", ".a".repeat(deepest)),
        format!("input{} == 1", "[0]".repeat(deepest / 2)),
        within("!".repeat(CONDITION_BYTES_MAX) + "true"),
        within("-".repeat(CONDITION_BYTES_MAX) + "1"),
        within("true?1:".repeat(CONDITION_BYTES_MAX)),
        within("{1:".repeat(CONDITION_BYTES_MAX)),
        within("size(".repeat(CONDITION_BYTES_MAX)),
        within("a.b(".repeat(CONDITION_BYTES_MAX)),
        format!("true{}", "&&true".repeat(deepest / 3)),
        format!("input{}", ".all(x,true)".repeat(deepest / 6)),
    ] {
        let _ = check(&condition, On::Call);
        let _ = ruled(&condition, "bash", &json!({}));
    }
}

#[test]
fn every_function_that_is_named_is_there() {
    for (condition, function) in [
        ("bool('true')", "bool"),
        ("size(bytes('a')) == 1", "bytes"),
        ("'ab'.contains('a')", "contains"),
        ("double('1.5') > 1.0", "double"),
        ("dyn(true)", "dyn"),
        ("'ab'.endsWith('b')", "endsWith"),
        ("int('3') == 3", "int"),
        ("'ab'.matches('^a')", "matches"),
        ("size('ab') == 2", "size"),
        ("'ab'.startsWith('a')", "startsWith"),
        ("string(1) == '1'", "string"),
        ("uint('1') == 1u", "uint"),
    ] {
        assert_eq!(check(condition, On::Call), Ok(()), "{function}");
        let ruling = ruled(condition, "bash", &json!({})).expect(function);
        assert_eq!(
            ruling.verdict,
            Verdict::Ask,
            "{function}: {}",
            ruling.reason
        );
    }
}
