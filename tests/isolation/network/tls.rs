//! TLS on the way out of a hand, with HTTP/2 and HTTP/1.1.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::tls::TlsServer;
use sinew_tests::world::World;

use super::{CANARY, holds_secret, id, new_session};
use crate::{Outcome, PROGRAM, call, script};

/// A daemon that may reach a server, and trusts its authority if `is_trusted`; a session with a credential for it.
async fn started(server: &TlsServer, lines: &[&str], is_trusted: bool) -> Result<(World, String)> {
    let port = server.address.port();
    let command = |line: &&str| {
        let line = line.replace("URL", &format!("https://localhost:{port}"));
        json!({"name": "bash", "input": {"command": line}})
    };
    let calls: Vec<Value> = lines.iter().map(command).collect();
    let world = World::start_prepared(PROGRAM, &script(&calls), "", |options| {
        let file = options
            .data
            .parent()
            .context("no folder")?
            .join("authority.pem");
        std::fs::write(&file, &server.authority)?;
        let mut egress = json!({"private_hosts": [format!("localhost:{port}")]});
        if is_trusted {
            egress["ca_certificates"] = json!(file);
        }
        let configuration = file.with_file_name("sinew.yaml");
        std::fs::write(configuration, json!({"egress": egress}).to_string())?;
        Ok(())
    })
    .await?;
    let client = &world.client;
    let vault = id(&client
        .post("/v1/vaults", &json!({"display_name": "v"}))
        .await?)?;
    let auth = json!({"auth": {
        "type": "environment_variable",
        "secret_name": "TOKEN",
        "secret_value": CANARY,
        "networking": {"type": "limited", "allowed_hosts": ["localhost"]},
    }});
    client
        .post(&format!("/v1/vaults/{vault}/credentials"), &auth)
        .await?;
    let session = new_session(client, json!({"type": "unrestricted"}), &vault).await?;
    Ok((world, session))
}

async fn run(world: &World, session: &str, number: usize) -> Result<Outcome> {
    let outcome = call(&world.client, session, number).await?;
    assert!(!holds_secret(outcome.text.as_bytes()), "{}", outcome.text);
    Ok(outcome)
}

const SAY: &str = "curl -sS URL/ -H \"Authorization: Bearer $TOKEN\"; echo; echo status $?";

/// The way that credentials are for, over either version of HTTP.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_travels_over_tls() -> Result<()> {
    for (has_http2, version) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        let server = TlsServer::start("localhost", has_http2).await?;
        let body =
            "head -c 300000 /dev/zero | curl -sS --data-binary @- URL/ ; echo; echo status $?";
        let (world, session) = started(&server, &[SAY, body], true).await?;
        let outcome = run(&world, &session, 0).await?;
        ensure!(
            outcome
                .text
                .contains(&format!("over {version}: Bearer ****")),
            "{}",
            outcome.text
        );
        let expected = (version.to_owned(), format!("Bearer {CANARY}"));
        ensure!(server.take() == [expected]);
        let outcome = run(&world, &session, 1).await?;
        ensure!(
            outcome.text.contains("and 300000 bytes\nstatus 0"),
            "{}",
            outcome.text
        );
        ensure!(server.take().len() == 1);
    }
    Ok(())
}

/// Why: whoever cannot prove to be the host gets nothing, whatever address the name has.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_right_certificate_gets_nothing() -> Result<()> {
    for (name, is_trusted) in [("localhost", false), ("other.test", true)] {
        let server = TlsServer::start(name, true).await?;
        let (world, session) = started(&server, &[SAY, "curl -k URL/"], is_trusted).await?;
        let outcome = run(&world, &session, 0).await?;
        ensure!(outcome.text.contains("curl: ("), "{}", outcome.text);
        // Nobody inside can turn the check off.
        let outcome = run(&world, &session, 1).await?;
        ensure!(outcome.is_error, "{}", outcome.text);
        ensure!(server.take().is_empty());
    }
    Ok(())
}

/// Why: a certificate that is not one must not be taken for an empty list of authorities.
#[tokio::test(flavor = "multi_thread")]
async fn authorities_that_cannot_be_read_keep_the_daemon_from_starting() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, "no certificate")?;
    let configuration = json!({"egress": {"ca_certificates": file}}).to_string();
    let started = World::start_with(PROGRAM, &script(&[]), &configuration).await;
    ensure!(started.is_err());
    Ok(())
}
