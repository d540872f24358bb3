//! Each provider's requests and answers, over real sockets.

use std::sync::mpsc;

use http_client::transport;
use serde_json::json;

use super::search;
use crate::content::Content;
use crate::server::{Asked, serve};
use crate::settings::{self, Settings};

fn settings(variables: &[(&'static str, &str)]) -> Settings {
    let found = |name: &str| variables.iter().find(|(own, _)| *own == name);
    Settings::read(|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap()
}

/// Searches, with the provider answering as given, and returns what it was asked too.
fn run(
    variables: &[(&'static str, &str)],
    status: u16,
    answer: &str,
    query: &str,
) -> (Result<String, String>, Asked) {
    let (sender, asked) = mpsc::channel();
    let (sender, answer) = (std::sync::Mutex::new(sender), answer.to_owned());
    let url = serve(move |got| {
        let asked = Asked {
            method: got.method.clone(),
            path: got.path.clone(),
            headers: got.headers.clone(),
            body: got.body.clone(),
        };
        sender.lock().unwrap().send(asked).unwrap();
        let head = "Content-Type: application/json\r\n".to_owned();
        (status, head, answer.clone().into_bytes())
    });
    let mut variables = variables.to_vec();
    let url = format!("{url}/api?own=1");
    variables.push((settings::SEARCH_URL, &url));
    let found = search(&mut *transport::own(), &settings(&variables), query);
    let found = found
        .map_err(|error| error.to_string())
        .map(|content| match content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        });
    (found, asked.recv().unwrap())
}

const LOCATION: &str = r#"{"type": "approximate", "city": "Zürich", "region": "ZH", "country": "CH", "timezone": "Europe/Zurich"}"#;

#[test]
fn brave() {
    let answer = json!({"type": "search", "web": {"results": [
        {"title": "A &amp; B", "url": "https://a.example/x", "age": "2 days ago",
         "description": "the <strong>words</strong> it&#x27;s about"},
        {"title": "", "url": "https://b.example/", "page_age": "2026-01-01"},
        {"title": "again", "url": "https://a.example/x"},
        {"title": "no URL"}, 7,
    ]}});
    let variables = [
        (settings::PROVIDER, "brave"),
        (settings::SEARCH_KEY, "placeholder"),
        (settings::LOCATION, LOCATION),
    ];
    let (found, asked) = run(&variables, 200, &answer.to_string(), " two words ");
    assert_eq!(
        found.unwrap(),
        "1. [A & B](https://a.example/x) (2 days ago)\n   the words it's about\n\
         2. [https://b.example/](https://b.example/) (2026-01-01)"
    );
    assert_eq!(asked.method, "GET");
    assert_eq!(
        asked.path,
        "/api?own=1&q=two%20words&count=10&result_filter=web&text_decorations=false&country=CH"
    );
    assert_eq!(asked.header("x-subscription-token"), Some("placeholder"));
    assert_eq!(asked.header("x-loc-city"), Some("Zürich"));
    assert_eq!(asked.header("x-loc-timezone"), Some("Europe/Zurich"));
    let (found, _) = run(&variables, 200, r#"{"type": "search"}"#, "q");
    assert_eq!(found.unwrap(), "no results");
}

#[test]
fn tavily() {
    let answer = json!({"results": [
        {"title": "In", "url": "https://docs.a.example/x", "content": "words", "published_date": "2026"},
        {"title": "Out", "url": "https://other.example/", "content": "words"},
    ]});
    let variables = [
        (settings::PROVIDER, "tavily"),
        (settings::SEARCH_KEY, "placeholder"),
        (settings::LOCATION, LOCATION),
        (settings::ALLOWED, "a.example,B.example/docs"),
    ];
    let (found, asked) = run(&variables, 200, &answer.to_string(), "q");
    assert_eq!(
        found.unwrap(),
        "1. [In](https://docs.a.example/x) (2026)\n   words"
    );
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.header("authorization"), Some("Bearer placeholder"));
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        json!({"query": "q", "topic": "general", "search_depth": "basic", "max_results": 20,
               "include_domains": ["a.example", "b.example/docs"], "country": "switzerland"})
    );
}

#[test]
fn searxng() {
    let results: Vec<_> = (0..30)
        .map(|n| json!({"title": format!("T{n}"), "url": format!("https://h{n}.example/"), "content": null,
                        "publishedDate": null}))
        .collect();
    let variables = [
        (settings::PROVIDER, "searxng"),
        (settings::BLOCKED, "h0.example, h2.example"),
    ];
    let answer = json!({"results": results}).to_string();
    let (found, asked) = run(&variables, 200, &answer, "a b");
    let found = found.unwrap();
    assert!(
        found.starts_with("1. [T1](https://h1.example/)\n2. [T3]"),
        "{found}"
    );
    assert!(
        found.ends_with("10. [T11](https://h11.example/)"),
        "{found}"
    );
    assert_eq!(
        asked.path,
        "/api/search?own=1&q=a%20b%20-site%3Ah0.example%20-site%3Ah2.example&format=json"
    );
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn many_allowed_domains_are_named_to_who_understands_it() {
    let variables = [
        (settings::PROVIDER, "brave"),
        (settings::ALLOWED, "a.example,b.example"),
    ];
    let (_, asked) = run(&variables, 200, "{}", "q");
    let query = "q=q%20%28site%3Aa.example%20OR%20site%3Ab.example%29&count=20";
    assert!(asked.path.contains(query), "{}", asked.path);
}

#[test]
fn what_goes_wrong_is_said() {
    let brave = [(settings::PROVIDER, "brave")];
    for (status, answer, expected) in [
        (200, "<html>", "its answer is no JSON"),
        (200, "[]", "its answer has no list of results"),
        (
            200,
            r#"{"web": {"results": 5}}"#,
            "its answer has no list of results",
        ),
        (
            429,
            r#"{"error": "slow down"}"#,
            r#"status 429 Too Many Requests: {"error": "slow down"}"#,
        ),
        (401, "", "status 401 Unauthorized"),
    ] {
        let (found, _) = run(&brave, status, answer, "q");
        assert_eq!(
            found.unwrap_err(),
            format!("web_search: the search provider brave cannot be asked: {expected}")
        );
    }
    let deep = format!("{{\"web\": {}", "[".repeat(1_000_000));
    assert!(run(&brave, 200, &deep, "q").0.is_err());
}

#[test]
fn a_key_follows_no_redirect() {
    let elsewhere = serve(|_| panic!("the key was sent elsewhere"));
    let url = serve(move |_| (302, format!("Location: {elsewhere}/\r\n"), Vec::new()));
    let settings = settings(&[
        (settings::PROVIDER, "searxng"),
        (settings::SEARCH_URL, &url),
        (settings::SEARCH_KEY, "placeholder"),
    ]);
    let error = search(&mut *transport::own(), &settings, "q").unwrap_err();
    assert!(
        error.to_string().contains("which is not followed"),
        "{error}"
    );
}

#[test]
fn nothing_is_asked_without_need() {
    let text = |variables: &[(&'static str, &str)], query: &str| {
        let found = search(&mut *transport::own(), &settings(variables), query);
        found.unwrap_err().to_string()
    };
    assert_eq!(
        text(&[], "q"),
        "web_search is not available here: no search provider is set up"
    );
    let brave = [(settings::PROVIDER, "brave")];
    assert_eq!(text(&brave, "  "), "web_search: query is empty");
    assert_eq!(
        text(&brave, &"x".repeat(401)),
        "web_search: query is longer than 400 characters"
    );
    assert!(text(&[(settings::PROVIDER, "searxng")], "q").contains(settings::SEARCH_URL));
}
