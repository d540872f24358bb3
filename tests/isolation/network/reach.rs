//! What a hand reaches.

use anyhow::Result;
use serde_json::json;

use super::Attack;
use crate::check_neighbour;

/// Why: nothing of this machine or its network is granted but the server's own host and port, in whatever way an
/// address is written and whatever a name means.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_are_not_reached_under_any_name() -> Result<()> {
    let targets = [
        "http://127.0.0.1:1/",
        "http://127.1:1/",
        "http://2130706433:1/",
        "http://0x7f000001:1/",
        "http://0177.0.0.1:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://[::ffff:7f00:1]:1/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://localhost:1/",
        "http://localhost.:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
    ];
    let lines: Vec<String> = targets
        .iter()
        .map(|target| format!("curl -sS -g -m 20 '{target}'; echo status $?"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let attack = Attack::open(&lines).await?;
    for (number, target) in targets.iter().enumerate() {
        let outcome = attack.run(number).await?;
        assert!(
            outcome.text.contains("status 7"),
            "{target}: {}",
            outcome.text
        );
        assert!(
            outcome.text.contains("denied"),
            "{target}: {}",
            outcome.text
        );
        // The operator learns what to change.
        assert!(
            outcome.text.contains("egress.private_hosts"),
            "{target}: {}",
            outcome.text
        );
    }
    assert!(attack.server.take().is_empty());
    let requests = attack.requests().await?;
    assert_eq!(requests.len(), targets.len(), "{requests:?}");
    assert!(
        requests
            .iter()
            .all(|request| request["status"].is_null() && request["setting"].is_string())
    );
    let log = std::fs::read_to_string(&attack.log)?;
    assert!(log.contains("a request was denied"), "the operator's log");
    check_neighbour(&attack.world, &attack.session).await
}

/// Why: whoever follows a redirect sends a new request, which is checked like the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_does_not_lead_inside() -> Result<()> {
    let attack = Attack::open(&[
        "curl -sS -L 'URL/redirect?http://169.254.169.254/latest/meta-data/iam'; echo status $?",
        "curl -sS -L 'URL/redirect?http://127.0.0.1:1/'; echo status $?",
        "curl -sS -L 'URL/redirect?file:///etc/passwd'; echo status $?",
        "wget -q -O - 'URL/redirect?http://169.254.169.254/'; echo status $?",
        "curl -sS -L 'URL/redirect?/plain' -d hello; echo; echo status $?",
    ])
    .await?;
    for (number, status) in [(0, 7), (1, 7), (2, 1), (3, 4), (4, 0)] {
        let outcome = attack.run(number).await?;
        let expected = format!("status {status}");
        assert!(
            outcome.text.contains(&expected),
            "{number}: {}",
            outcome.text
        );
    }
    let seen = attack.server.take();
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert_eq!(seen[5].method, "GET", "a POST that was moved is asked for");
    Ok(())
}

/// Why: an environment that names its hosts allows no other, and who is denied learns which setting would.
#[tokio::test(flavor = "multi_thread")]
async fn a_limited_environment_is_limited() -> Result<()> {
    let networking = json!({"type": "limited", "allowed_hosts": ["127.0.0.1"]});
    let lines = [
        "curl -sS URL/a",
        "curl -sS FOREIGN/b; echo status $?",
        "curl -sS https://example.com/; echo status $?",
        "curl -sS https://pypi.org/simple/; echo status $?",
    ];
    let attack = Attack::start(&lines, networking).await?;
    assert!(!attack.run(0).await?.is_error);
    for number in 1..4 {
        let outcome = attack.run(number).await?;
        assert!(outcome.text.contains("status 7"), "{}", outcome.text);
        assert!(
            outcome.text.contains("networking.allowed_hosts"),
            "{}",
            outcome.text
        );
    }
    assert_eq!(attack.server.one().target, "/a");
    let requests = attack.requests().await?;
    let hosts: Vec<_> = requests
        .iter()
        .map(|request| request["host"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(hosts, ["127.0.0.1", "localhost", "example.com", "pypi.org"]);
    assert_eq!(requests[0]["status"], 200);
    assert!(requests[0]["tool_use_id"].is_string());
    assert_eq!(
        requests[1]["setting"],
        "networking.allowed_hosts of the session's environment"
    );
    Ok(())
}

/// Why: how a message is framed and for which host it is are the host's to say, and no value of a header has a line of
/// its own.
#[tokio::test(flavor = "multi_thread")]
async fn headers_do_not_smuggle_a_second_request() -> Result<()> {
    let attack = Attack::open(&[
        "curl -sS URL/1 -H 'Host: internal.test' -H 'Transfer-Encoding: chunked' -H 'Content-Length: 3' -d 'GET /x HTTP/1.1'",
        "curl -sS URL/2 -H $'X-A: a\\r\\nX-B: b'; echo status $?",
        "curl -sS URL/3 -H 'Connection: x-own' -H 'X-Own: 1' -H 'Upgrade: h2c' -H 'TE: trailers'",
        "curl -sS 'http://internal.test@127.0.0.1:1/' ; echo status $?",
    ])
    .await?;
    for number in 0..4 {
        attack.run(number).await?;
    }
    let seen = attack.server.take();
    let own = attack.server.address.to_string();
    assert!(
        seen.iter().all(|seen| seen.header("host") == own),
        "{seen:?}"
    );
    assert!(seen.iter().all(|seen| seen.target != "/x"), "{seen:?}");
    assert_eq!(seen[0].body, "GET /x HTTP/1.1");
    for seen in &seen {
        for name in ["x-b", "upgrade", "te", "transfer-encoding"] {
            assert!(seen.headers.get(name).is_none(), "{name}: {seen:?}");
        }
    }
    Ok(())
}
