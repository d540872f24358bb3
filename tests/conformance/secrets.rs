//! Secrets of vaults come in and never go out: not in an answer, not in a log, not in a file of the daemon; and the
//! master key that opens them can be exchanged.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sinew_tests::canary::{Canary, files_below};
use sinew_tests::world::World;

use crate::PROGRAM;

pub(crate) const CANARY: &str = "canary-3f9d1c7e-never-to-be-seen";

pub(crate) fn holds_canary(bytes: &[u8]) -> bool {
    Canary::new(CANARY).is_in(bytes)
}

fn check_files(folder: &Path, at_least: usize, signing: &str) -> Result<()> {
    let found = files_below(folder)?;
    assert!(found.len() >= at_least, "{found:?}");
    for file in found {
        let content = std::fs::read(&file)?;
        assert!(!holds_canary(&content), "{}", file.display());
        let mut windows = content.windows(signing.len());
        assert!(
            !windows.any(|window| window == signing.as_bytes()),
            "{}",
            file.display()
        );
    }
    Ok(())
}

/// Sends a request and looks for the canary in whatever comes.
async fn call(world: &World, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let body = body.map(|body| body.to_string());
    let answer = world.client.send(method, path, body).await?;
    assert!(!holds_canary(answer.body.to_string().as_bytes()), "{path}");
    Ok(answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_seen_again() -> Result<()> {
    assert!(holds_canary(
        format!("..{}", STANDARD.encode(format!("ab{CANARY}cd"))).as_bytes()
    ));
    let mut world = World::start(PROGRAM, "turns: [{text: Here.}]").await?;
    world.stop()?;
    let log = world.folder().join("daemon.log");
    world.options.log = Some(log.clone());
    world.restart()?;
    let vault = call(
        &world,
        Method::POST,
        "/v1/vaults",
        Some(json!({"display_name": "v"})),
    )
    .await?;
    let vault = format!("/v1/vaults/{}", vault["id"].as_str().context("no id")?);
    let create = format!("{vault}/credentials");
    let oauth = |url: &str| {
        json!({"auth": {
            "type": "mcp_oauth", "access_token": CANARY, "mcp_server_url": url,
            "refresh": {"client_id": "id", "refresh_token": CANARY, "token_endpoint": "https://auth.example.com",
                        "token_endpoint_auth": {"type": "client_secret_basic", "client_secret": CANARY}},
        }})
    };
    let bearer = json!({"auth": {"type": "static_bearer", "token": CANARY, "mcp_server_url": "https://b.example.com"}});
    let variable = json!({"auth": {
        "type": "environment_variable", "secret_name": "KEY", "secret_value": CANARY, "networking": {"type": "unrestricted"},
    }});
    let mut paths = Vec::new();
    for body in [
        oauth("https://a.example.com"),
        bearer.clone(),
        variable.clone(),
    ] {
        let made = call(&world, Method::POST, &create, Some(body)).await?;
        paths.push(format!(
            "{create}/{}",
            made["id"].as_str().context("no id")?
        ));
    }
    // What is refused is not repeated either.
    let mut unknown = bearer.clone();
    unknown["auth"]["color"] = json!(CANARY);
    let mut wrong = bearer.clone();
    wrong["auth"]["token"] = json!([CANARY]);
    let long = json!({"auth": {"type": "static_bearer", "token": CANARY.repeat(5_000), "mcp_server_url": "https://c.example.com"}});
    for body in [
        oauth("https://a.example.com"),
        bearer,
        variable,
        unknown,
        wrong,
        long,
    ] {
        let refused = call(&world, Method::POST, &create, Some(body)).await?;
        assert_eq!(refused["type"], "error");
    }
    let broken = format!("{{\"auth\": {{\"token\": \"{CANARY}\"");
    let broken = world
        .client
        .send(Method::POST, &create, Some(broken))
        .await?;
    assert!(broken.status == 400 && !holds_canary(broken.body.to_string().as_bytes()));
    let change = json!({"auth": {"type": "mcp_oauth", "access_token": CANARY}});
    call(&world, Method::POST, &paths[0], Some(change)).await?;
    call(
        &world,
        Method::POST,
        &format!("{}/mcp_oauth_validate", paths[0]),
        None,
    )
    .await?;
    for path in paths.iter().chain([&create]) {
        call(&world, Method::GET, path, None).await?;
    }
    // A webhook's signing secret is told once, to whom made it.
    let hook = json!({"url": "https://hooks.example.com/x", "enabled_events": ["vault.created"]});
    let hook = call(
        &world,
        Method::POST,
        "/v1/organizations/webhooks",
        Some(hook),
    )
    .await?;
    let signing = hook["signing_secret"].as_str().context("no secret")?;
    let signing = signing.trim_start_matches("whsec_").to_owned();
    let session = world.client.new_session("claude-sonnet-4-6").await?;
    call(
        &world,
        Method::GET,
        &format!("/v1/sessions/{session}"),
        None,
    )
    .await?;
    call(&world, Method::POST, &format!("{}/archive", paths[1]), None).await?;
    check_files(&world.folder(), 3, &signing)?;

    // Exchanged, everything opens with the new key, and only with it.
    let key = world.options.data.join("master-key");
    let old = std::fs::read_to_string(&key)?;
    let rotate = |world: &World| {
        let mut command = std::process::Command::new(&world.options.program);
        command
            .args(["vault", "rotate-master-key", "--data"])
            .arg(&world.options.data);
        command.output()
    };
    let refused = rotate(&world)?;
    assert!(
        !refused.status.success(),
        "a running daemon holds the old key"
    );
    world.stop()?;
    let rotated = rotate(&world)?;
    let said = String::from_utf8_lossy(&rotated.stdout).into_owned();
    assert!(
        rotated.status.success() && said.starts_with("3 secrets"),
        "{said} {rotated:?}"
    );
    let new = std::fs::read_to_string(&key)?;
    assert!(new != old && new.lines().count() == 1);
    world.restart()?;
    let validation = call(
        &world,
        Method::POST,
        &format!("{}/mcp_oauth_validate", paths[0]),
        None,
    )
    .await?;
    assert_eq!(validation["has_refresh_token"], true);
    world.stop()?;
    std::fs::write(&key, &old)?;
    assert!(world.restart().is_err(), "the old key opens nothing");
    std::fs::remove_file(&key)?;
    assert!(
        world.restart().is_err(),
        "no new key is made while secrets need the old one"
    );
    assert!(!key.exists());
    // The same key from elsewhere.
    let elsewhere = world.folder().join("elsewhere");
    std::fs::write(&elsewhere, &new)?;
    let arguments = world.options.arguments.clone();
    for source in [
        [
            "--master-key-file".to_owned(),
            elsewhere.display().to_string(),
        ],
        [
            "--master-key-command".to_owned(),
            format!("cat '{}'", elsewhere.display()),
        ],
    ] {
        world.options.arguments = [arguments.clone(), source.to_vec()].concat();
        world.restart()?;
        call(
            &world,
            Method::POST,
            &format!("{}/mcp_oauth_validate", paths[0]),
            None,
        )
        .await?;
        world.stop()?;
    }
    assert!(std::fs::metadata(&log)?.len() > 1_000, "there is a log");
    check_files(&world.folder(), 4, &signing)?;
    assert!(
        std::fs::read_to_string(&log)?.find(new.trim()).is_none(),
        "nor is the master key logged"
    );
    Ok(())
}
