//! Servers that send a secret back.

use anyhow::Result;

use super::Attack;

/// Why: what comes back is masked before the hand has it, in headers and bodies, in the usual encodings, however it is
/// cut into parts.
#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_masked() -> Result<()> {
    let ways = [
        "plain", "header", "base64", "json", "percent", "error", "bytewise",
    ];
    let lines: Vec<String> = ways
        .iter()
        .map(|way| format!("curl -sS -i URL/{way} -H \"X-Own: $TOKEN\" | tee -a echoes; echo; cat echoes | base64 -w0"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut attack = Attack::open(&lines).await?;
    for (number, way) in ways.iter().enumerate() {
        let outcome = attack.run(number).await?;
        assert!(outcome.text.contains("*****"), "{way}: {}", outcome.text);
    }
    assert_eq!(attack.server.take().len(), ways.len());
    // The hand's own file has the masks as well.
    let file = attack.world.workspace(&attack.session).join("echoes");
    if let Ok(bytes) = std::fs::read(file) {
        assert!(!super::holds_secret(&bytes));
    }
    attack.check_nothing_is_kept().await
}

/// Why: a response that comes compressed although it must not cannot be looked through, so the hand does not get it.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_echo_does_not_pass() -> Result<()> {
    let mut attack = Attack::open(&[
        "curl -sS --compressed URL/packed -H \"X-Own: $TOKEN\"; echo status $?",
        "curl -sS URL/packed -H \"X-Own: $TOKEN\" | gunzip; echo status $?",
        "curl -sS --compressed URL/packed -d \"$TOKEN\"; echo status $?",
        // Of a host that got no secret it is the hand's own business.
        "curl -sS --compressed FOREIGN/packed -d harmless; echo; echo status $?",
    ])
    .await?;
    for number in 0..3 {
        let outcome = attack.run(number).await?;
        assert!(outcome.text.contains("came compressed"), "{}", outcome.text);
    }
    let seen = attack.server.take();
    assert!(
        seen.iter()
            .all(|seen| seen.header("accept-encoding") == "identity"),
        "{seen:?}"
    );
    let outcome = attack.run(3).await?;
    assert!(outcome.text.contains("harmless"), "{}", outcome.text);
    attack.check_nothing_is_kept().await
}

/// Why: which hosts may know a secret follows from the credentials, so it does not matter whether this hand, or one
/// before the daemon was started again, has sent it; and a part of a response may begin in the middle of a secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_an_earlier_hand_told_is_not_trusted_either() -> Result<()> {
    let mut attack = Attack::open(&[
        "curl -sS URL/plain -H \"X-Own: $TOKEN\"",
        "curl -sS --compressed URL/packed -d harmless; echo status $?",
        "curl -sS -r 3-9 URL/plain; curl -sS -r 3-9 FOREIGN/plain; echo status $?",
    ])
    .await?;
    attack.run(0).await?;
    attack.world.stop()?;
    attack.world.restart()?;
    let outcome = attack.run(1).await?;
    assert!(outcome.text.contains("came compressed"), "{}", outcome.text);
    attack.server.take();
    attack.run(2).await?;
    let seen = attack.server.take();
    let ranges: Vec<&str> = seen.iter().map(|seen| seen.header("range")).collect();
    assert_eq!(ranges, ["", "bytes=3-9"]);
    attack.check_nothing_is_kept().await
}

/// Why: what a tool says is looked through once more before it is kept or shown, for what no header told.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_hand_unpacks_is_masked_in_what_it_says() -> Result<()> {
    let attack = Attack::open(&[
        "curl -sS URL/file.gz -d \"$TOKEN\" | gunzip; echo; echo status $?",
        "x=$(curl -sS URL/file.gz -d \"$TOKEN\" | gunzip); printf '%s' \"$x\" >&2; printf '%s' \"$x\" | base64 -w0; exit 3",
    ])
    .await?;
    for number in 0..2 {
        let outcome = attack.run(number).await?;
        assert!(outcome.text.contains("*****"), "{}", outcome.text);
    }
    let events = attack.world.client.events(&attack.session).await?;
    assert!(!super::holds_secret(&serde_json::to_vec(&events)?));
    Ok(())
}

/// Why: errors of the host name neither what was sent nor what came back.
#[tokio::test(flavor = "multi_thread")]
async fn errors_say_nothing_of_a_secret() -> Result<()> {
    let mut attack = Attack::open(&[
        "curl -v URL/plain -H \"X-Own: $TOKEN\" 2>&1",
        "curl -sS -f URL/error -H \"X-Own: $TOKEN\"; echo status $?",
        "curl -sS \"${TOKEN}://x\"; curl -sS \"http://$TOKEN/\"; curl -sS http://127.0.0.1:1/ -H \"X-Own: $TOKEN\"; wget -S -O - URL/header --header \"X-Own: $TOKEN\"",
    ])
    .await?;
    let outcome = attack.run(0).await?;
    assert!(
        outcome.text.contains("sinew_placeholder_"),
        "{}",
        outcome.text
    );
    let outcome = attack.run(1).await?;
    assert!(outcome.text.contains("status 22"), "{}", outcome.text);
    attack.run(2).await?;
    attack.check_nothing_is_kept().await
}
