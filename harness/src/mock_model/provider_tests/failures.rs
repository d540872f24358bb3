//! Errors, breaks, waits and keys.

use std::time::Duration;

use tokio::net::TcpListener;

use super::{client, messages, mock, provider, request, route, stage};
use crate::model::keys::ApiKey;
use crate::model::{Model, ModelError, ProviderConfig, ProviderKind};

#[tokio::test]
async fn http_errors_keep_their_kind_on_the_way() {
    type Is = fn(&ModelError) -> bool;
    let cases: [(&str, Is, Option<u64>); 9] = [
        (
            "{status: 400, message: bad}",
            |e| matches!(e, ModelError::Refused(_)),
            None,
        ),
        (
            "{status: 400, message: 'prompt is too long: 2 > 1'}",
            |e| matches!(e, ModelError::ContextTooLong(_)),
            None,
        ),
        (
            "{status: 401}",
            |e| matches!(e, ModelError::Authentication(_)),
            None,
        ),
        (
            "{status: 402}",
            |e| matches!(e, ModelError::Billing(_)),
            None,
        ),
        (
            "{status: 404}",
            |e| matches!(e, ModelError::Refused(_)),
            None,
        ),
        (
            "{status: 429, retry_after: 7}",
            |e| matches!(e, ModelError::RateLimited { .. }),
            Some(7),
        ),
        (
            "{status: 500, retry_after: 3}",
            |e| matches!(e, ModelError::Transient { .. }),
            Some(3),
        ),
        (
            "{status: 500, should_retry: false}",
            |e| matches!(e, ModelError::Refused(_)),
            None,
        ),
        (
            "{status: 529, retry_after: 2}",
            |e| matches!(e, ModelError::Overloaded { .. }),
            Some(2),
        ),
    ];
    for kind in [ProviderKind::Anthropic, ProviderKind::Openai] {
        for (error, is, wait) in cases {
            let script = format!("turns: [{{error: {error}}}]");
            let found = stage(kind, &["key-one"], &script)
                .await
                .ask()
                .await
                .unwrap_err();
            assert!(is(&found), "{kind:?} {error}: {found:?}");
            assert_eq!(
                found.retry_after(),
                wait.map(Duration::from_secs),
                "{error}"
            );
            assert!(
                found.to_string().contains("(request req_mock_1)"),
                "{found}"
            );
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_never_an_answer() {
    for kind in [ProviderKind::Anthropic, ProviderKind::Openai] {
        for (event, after) in [
            ("cut", 0),
            ("cut", 1),
            ("cut", 3),
            ("end", 0),
            ("end", 2),
            ("end", 3),
        ] {
            let script = format!("turns: [{{text: abc, chunk_chars: 1, {event}_after: {after}}}]");
            let ended = stage(kind, &["key-one"], &script).await.ask().await;
            let is_transient = matches!(ended, Err(ModelError::Transient { .. }));
            assert!(is_transient, "{kind:?} {event} {after}: {ended:?}");
        }
        let script = "turns: [{text: abc, chunk_chars: 1, stream_error: {after: 2, type: overloaded_error, message: busy}}]";
        let error = stage(kind, &["key-one"], script)
            .await
            .ask()
            .await
            .unwrap_err();
        match kind {
            ProviderKind::Anthropic => {
                assert!(matches!(error, ModelError::Overloaded { .. }), "{error:?}")
            }
            // Chat completions have no word for it that servers agree on.
            ProviderKind::Openai => assert!(error.is_retryable(), "{error:?}"),
        }
        for step in [
            "{tools: [{name: a, input_text: '{\"b\": '}]}",
            "{tools: [{name: a, input_text: '[1]'}]}",
            "{text: a, stop: tool_use}",
        ] {
            let script = format!("turns: [{step}]");
            let error = stage(kind, &["key-one"], &script)
                .await
                .ask()
                .await
                .unwrap_err();
            assert!(
                matches!(error, ModelError::Protocol(_)),
                "{kind:?} {step}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn silence_ends_a_request() {
    for step in [
        "{text: a, hang: true}",
        "{text: abc, chunk_chars: 1, hang_after: 2}",
    ] {
        let stage = messages(&format!("turns: [{step}]")).await;
        let asking = stage.spawn();
        stage.mock.wait_hanging(1).await;
        while !asking.is_finished() {
            stage.clock.advance(Duration::from_secs(60));
            tokio::task::yield_now().await;
        }
        let error = asking.await.unwrap().unwrap_err();
        assert!(
            matches!(&error, ModelError::Transient { message, .. } if message.contains("silent")),
            "{error:?}"
        );
        // The connection is given up too.
        stage.mock.wait_hanging(0).await;
    }
}

#[tokio::test]
async fn an_answer_that_drips_forever_ends() {
    let mock = mock("turns: [{text: abc, chunk_chars: 1, hang_after: 2}]").await;
    let (router, clock) = route(ProviderConfig {
        base_url: Some(mock.url()),
        api_keys: vec![ApiKey::new("key-one").unwrap()],
        answer_timeout_ms: 1_000,
        ..ProviderConfig::new(ProviderKind::Anthropic)
    });
    let asking = tokio::spawn(async move { router.ask(&request(), &|_| {}).await });
    mock.wait_hanging(1).await;
    clock.advance(Duration::from_millis(1_001));
    mock.release();
    let error = asking.await.unwrap().unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_retryable() && text.contains("answer_timeout_ms"),
        "{text}"
    );
}

#[tokio::test]
async fn a_released_answer_goes_on_and_a_dropped_request_is_cancelled() {
    let stage = messages("turns: [{text: abc, chunk_chars: 1, hang_after: 2}]").await;
    let asking = stage.spawn();
    stage.mock.wait_hanging(1).await;
    let release = format!("{}/mock/release", stage.mock.url());
    client().post(release).send().await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap().content[0]["text"], "abc");

    let asking = stage.spawn();
    stage.mock.wait_hanging(1).await;
    asking.abort();
    stage.mock.wait_hanging(0).await;
}

#[tokio::test]
async fn keys_fail_over_within_one_request_and_then_rest() {
    let script = "rules:\n  - {when: {api_key: key-one}, error: {status: 401}}\n  \
                  - {when: {api_key: key-two}, error: {status: 429, retry_after: 5}}\n\
                  turns: [{text: ok}]";
    let stage = stage(
        ProviderKind::Anthropic,
        &["key-one", "key-two", "key-three"],
        script,
    )
    .await;
    let used = || -> Vec<String> {
        let requests = stage.mock.requests();
        requests
            .iter()
            .map(|r| r.headers["x-api-key"].to_str().unwrap().to_owned())
            .collect()
    };
    stage.ask().await.unwrap();
    assert_eq!(used(), ["key-one", "key-two", "key-three"]);
    stage.ask().await.unwrap();
    assert_eq!(used()[3..], ["key-three"]);
    // The limited key is tried again after the time it was told, the refused one is not.
    stage.clock.advance(Duration::from_secs(5));
    stage.ask().await.unwrap();
    stage.ask().await.unwrap();
    let later = used();
    assert!(
        later[4..].contains(&"key-two".to_owned()) && !later[4..].contains(&"key-one".to_owned())
    );
}

#[tokio::test]
async fn when_every_key_is_refused_the_reason_stays() {
    let both = |first: &str, second: &str| {
        format!(
            "rules:\n  - {{when: {{api_key: key-one}}, error: {first}}}\n  - {{when: {{api_key: key-two}}, error: {second}}}"
        )
    };
    let keys = ["key-one", "key-two"];
    let script = both(
        "{status: 429, retry_after: 9}",
        "{status: 429, retry_after: 4}",
    );
    let limited = stage(ProviderKind::Anthropic, &keys, &script).await;
    assert_eq!(
        limited.ask().await.unwrap_err().retry_after(),
        Some(Duration::from_secs(4))
    );
    // Known without asking.
    limited.clock.advance(Duration::from_secs(1));
    assert_eq!(
        limited.ask().await.unwrap_err().retry_after(),
        Some(Duration::from_secs(3))
    );
    assert_eq!(limited.mock.request_count(), 2);

    let script = both("{status: 429, retry_after: 9}", "{status: 403}");
    let mixed = stage(ProviderKind::Anthropic, &keys, &script).await;
    assert_eq!(
        mixed.ask().await.unwrap_err().retry_after(),
        Some(Duration::from_secs(9))
    );

    let refused = stage(
        ProviderKind::Anthropic,
        &keys,
        &both("{status: 401}", "{status: 403}"),
    )
    .await;
    assert!(matches!(
        refused.ask().await.unwrap_err(),
        ModelError::Authentication(_)
    ));
    // Other errors are the request's, not the key's.
    let script = both("{status: 400}", "{status: 400}");
    let bad = stage(ProviderKind::Anthropic, &keys, &script).await;
    bad.ask().await.unwrap_err();
    assert_eq!(bad.mock.request_count(), 1);
}

#[tokio::test]
async fn no_error_repeats_a_key() {
    let canary = "sk-canary-0123456789";
    let padding = "x".repeat(1010);
    for step in [
        format!("{{error: {{status: 401, message: 'bad key {canary}'}}}}"),
        format!("{{error: {{status: 400, message: '{padding}{canary}'}}}}"),
        format!("{{error: {{status: 429, message: '{canary}', type: '{canary}'}}}}"),
        format!("{{text: a, stream_error: {{type: api_error, message: 'key {canary}'}}}}"),
    ] {
        for kind in [ProviderKind::Anthropic, ProviderKind::Openai] {
            let script = format!("turns: [{step}]");
            let error = stage(kind, &[canary], &script)
                .await
                .ask()
                .await
                .unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

#[tokio::test]
async fn answers_that_are_no_stream_are_refused() {
    use axum::response::{Html, Redirect};
    use axum::routing::post;

    let routes = axum::Router::new()
        .route("/web/v1/messages", post(async || Html("<p>hello")))
        .route(
            "/moved/v1/messages",
            post(async || Redirect::temporary("/web")),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, routes).into_future());
    let ask = async |path: &str| {
        let base = format!("http://{address}{path}");
        let (router, _) = provider(ProviderKind::Anthropic, base, &["key-one"]);
        router.ask(&request(), &|_| {}).await.unwrap_err()
    };
    let web = ask("/web").await;
    assert!(
        matches!(&web, ModelError::Protocol(text) if text.contains("text/html")),
        "{web:?}"
    );
    let moved = ask("/moved/").await;
    assert!(
        matches!(&moved, ModelError::Refused(text) if text.contains("base_url")),
        "{moved:?}"
    );
    server.abort();
    // Nobody listens any more.
    assert!(server.await.is_err());
    let gone = ask("/web").await;
    assert!(matches!(gone, ModelError::Transient { .. }), "{gone:?}");
}
