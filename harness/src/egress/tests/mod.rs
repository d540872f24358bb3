//! The client against real servers of this machine.

mod memory;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use sinew_runtime::{EgressBody, EgressError, EgressTimeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::body::of_parts;
use super::{Client, EgressOptions, Names, Policy, PrivateHost, collect, whole};

/// Answers with the given addresses in turn, the last one for ever.
struct Turning {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Turning {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = &self.answers[turn.min(self.answers.len() - 1)];
        Ok(answer.iter().map(|text| text.parse().unwrap()).collect())
    }
}

fn turning(answers: &[&[&'static str]]) -> Arc<Turning> {
    Arc::new(Turning {
        answers: answers.iter().map(|answer| answer.to_vec()).collect(),
        asked: AtomicUsize::new(0),
    })
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn options(private: &[String]) -> EgressOptions {
    EgressOptions {
        private_hosts: private.iter().map(|host| host.parse().unwrap()).collect(),
        ..EgressOptions::default()
    }
}

fn client(private: &[String]) -> Client {
    Client::new(options(private)).unwrap()
}

fn request(url: &str) -> http::Request<EgressBody> {
    http::Request::get(url).body(whole("")).unwrap()
}

async fn send(
    client: &Client,
    request: http::Request<EgressBody>,
) -> Result<http::Response<EgressBody>, EgressError> {
    client
        .send(&Policy::unrestricted(), request, EgressTimeouts::default())
        .await
}

fn assert_denied(found: Result<http::Response<EgressBody>, EgressError>, words: &[&str]) {
    match found {
        Err(EgressError::Denied { reason }) => {
            for word in words {
                assert!(reason.contains(word), "{reason}");
            }
        }
        other => panic!("not denied: {:?}", other.map(|response| response.status())),
    }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn only_what_is_granted_of_this_machine_is_reached() {
    let address = serve(hello()).await;
    let url = format!("http://{address}/");
    assert_denied(
        send(&client(&[]), request(&url)).await,
        &["public internet", "egress.private_hosts", "127.0.0.1"],
    );
    let granted = client(&[address.to_string()]);
    let response = send(&granted, request(&url)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(collect(response.into_body(), 10).await.unwrap(), b"hello");
    // The name is another host than the address.
    let named = format!("http://localhost:{}/", address.port());
    assert_denied(send(&granted, request(&named)).await, &["127.0.0.1"]);
}

#[tokio::test]
async fn a_name_that_turns_inwards_is_refused_when_it_is_connected_to() {
    let address = serve(hello()).await;
    let url = format!("http://rebind.test:{}/", address.port());
    for answers in [
        // A name that means this machine, one that means both, and one in other clothes.
        &["127.0.0.1"][..],
        &["93.184.216.34", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
    ] {
        let names = turning(&[answers]);
        let client = Client::with_names(options(&[]), names.clone()).unwrap();
        assert_denied(
            send(&client, request(&url)).await,
            &["the name means", "not of the public internet"],
        );
        assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn what_is_connected_to_is_what_was_checked() {
    let address = serve(hello()).await;
    let host = format!("app.test:{}", address.port());
    // Were the name asked again between the check and the connection, it would mean another host.
    let names = turning(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = Client::with_names(options(std::slice::from_ref(&host)), names.clone()).unwrap();
    let response = send(&client, request(&format!("http://{host}/"))).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    // Nor does a name that the operator granted reach the addresses of metadata services.
    let client = Client::with_names(options(std::slice::from_ref(&host)), names).unwrap();
    let url = format!("http://{host}/");
    assert_denied(send(&client, request(&url)).await, &["169.254.169.254"]);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_target_a_request_of_its_own() {
    let to = "http://169.254.169.254/latest/meta-data/";
    let router = Router::new().route("/", get(move || async move { Redirect::temporary(to) }));
    let address = serve(router).await;
    let client = client(&[address.to_string()]);
    let response = send(&client, request(&format!("http://{address}/"))).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 307);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_denied(send(&client, request(&location)).await, &["public"]);
}

#[tokio::test]
async fn bodies_pass_as_they_come_in_both_directions() {
    let echo = post(|request: Request| async { Body::new(request.into_body()).into_response() });
    let address = serve(Router::new().route("/", echo)).await;
    let client = client(&[address.to_string()]);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let parts = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let request = http::Request::post(format!("http://{address}/"))
        .body(of_parts(parts))
        .unwrap();
    sender.send(Ok("one".into())).await.unwrap();
    let response = send(&client, request).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "one");
    // The second part is made only now: nothing waits for the whole.
    sender.send(Ok("two".into())).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "two");
    drop(sender);
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn bodies_and_waits_have_bounds() {
    let router = Router::new()
        .route("/long", get(|| async { "x".repeat(2_000) }))
        .route(
            "/",
            any(|request: Request| async move {
                let _ = request.into_body().collect().await;
            }),
        )
        .route("/never", get(std::future::pending::<()>));
    let address = serve(router).await;
    let client = Client::new(EgressOptions {
        request_bytes_max: 1_000,
        response_bytes_max: 1_000,
        ..options(&[address.to_string()])
    })
    .unwrap();
    let url = |path: &str| format!("http://{address}{path}");
    let response = send(&client, request(&url("/long"))).await.unwrap();
    let read = collect(response.into_body(), 10_000).await;
    assert_eq!(read, Err(EgressError::TooLarge));
    let long = http::Request::post(url("/"))
        .body(whole("x".repeat(1_001)))
        .unwrap();
    assert_eq!(send(&client, long).await.err(), Some(EgressError::TooLarge));
    let hurried = EgressTimeouts {
        connect: Some(Duration::from_millis(20)),
        first_byte: Some(Duration::from_millis(20)),
        between_bytes: None,
    };
    let policy = Policy::unrestricted();
    let sent = client.send(&policy, request(&url("/never")), hurried).await;
    assert_eq!(sent.err(), Some(EgressError::Timeout));
}

#[tokio::test]
async fn headers_of_the_connection_do_not_cross_either_way() {
    let router = Router::new().route(
        "/",
        any(|headers: HeaderMap| async move {
            let names: Vec<_> = headers.keys().map(|name| name.to_string()).collect();
            let answer = [("connection", "x-hop"), ("x-hop", "1"), ("x-end", "1")];
            (StatusCode::OK, answer, names.join(" "))
        }),
    );
    let address = serve(router).await;
    let client = client(&[address.to_string()]);
    let mut sent = request(&format!("http://{address}/"));
    for (name, value) in [
        ("connection", "x-own"),
        ("x-own", "1"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
        ("x-kept", "1"),
    ] {
        sent.headers_mut().append(name, value.parse().unwrap());
    }
    let response = send(&client, sent).await.unwrap();
    assert!(response.headers().get("x-hop").is_none());
    assert!(response.headers().get("x-end").is_some());
    let names = collect(response.into_body(), 1_000).await.unwrap();
    let names = String::from_utf8(names).unwrap();
    assert!(names.contains("x-kept"), "{names}");
    for name in ["x-own", "upgrade", "te "] {
        assert!(!names.contains(name), "{names}");
    }
    let mut spoofed = request(&format!("http://{address}/"));
    spoofed
        .headers_mut()
        .insert("host", "internal.test".parse().unwrap());
    assert_denied(send(&client, spoofed).await, &["Host"]);
}

#[tokio::test]
async fn failures_say_what_failed_and_nothing_of_the_request() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let plain = serve(hello()).await;
    let private: Vec<String> = [closed, plain].map(|address| address.to_string()).into();
    let client = client(&private);
    let canary = "?key=canary";
    let sent = send(&client, request(&format!("http://{closed}/{canary}"))).await;
    assert_eq!(sent.err(), Some(EgressError::Unreachable));
    let sent = send(&client, request(&format!("https://{plain}/{canary}"))).await;
    assert_eq!(sent.err(), Some(EgressError::Tls));
    let names = turning(&[&[]]);
    let nameless = Client::with_names(options(&[]), names).unwrap();
    let sent = send(&nameless, request("http://nowhere.test/")).await;
    assert_eq!(sent.err(), Some(EgressError::NameNotFound));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 16];
        stream.read_exact(&mut asked).await.unwrap();
        // More is promised than comes.
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\na";
        stream.write_all(begun).await.unwrap();
    });
    let client = Client::new(options(&[address.to_string()])).unwrap();
    let response = send(&client, request(&format!("http://{address}/{canary}")));
    let read = collect(response.await.unwrap().into_body(), 100).await;
    match read {
        Err(EgressError::Failed(text)) => assert!(!text.contains("canary"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn grants_are_read_from_the_configuration() {
    let grant: PrivateHost = serde_json::from_str("\"127.0.0.1:80\"").unwrap();
    assert_eq!(serde_json::to_string(&grant).unwrap(), "\"127.0.0.1:80\"");
    assert!(serde_json::from_str::<PrivateHost>("\"a/b\"").is_err());
}
