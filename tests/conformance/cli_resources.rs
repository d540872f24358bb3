//! The commands for files, skills, memory stores and vaults, run as a user runs them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sinew_tests::cli::{Cli, Ran};
use sinew_tests::world::World;

use crate::PROGRAM;

/// Longest wait for the session's output to become a file.
const PATIENCE: Duration = Duration::from_secs(60);
/// A model that is never asked.
const SILENT: &str = "turns: [{text: Never.}]";
/// A well-formed id that names nothing.
const NOTHING: &str = "x_01nothing";

/// A world, and commands that run in an empty folder.
async fn desk(script: &str) -> Result<(World, Cli)> {
    let world = World::start(PROGRAM, script).await?;
    let folder = world.folder().join("desk");
    std::fs::create_dir(&folder)?;
    let cli = Cli::new(PROGRAM, &world.client.url, &folder);
    Ok((world, cli))
}

fn names(folder: &PathBuf) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_up_into_a_session_and_come_down() -> Result<()> {
    let copy =
        "cp /mnt/session/uploads/in/data.bin /mnt/session/outputs/out.bin; cat /mnt/memory/*/a.md";
    let script = json!({
        "rules": [{"when": {"tool_result_contains": ""}, "text": "Done."}],
        "otherwise": {"tools": [{"name": "bash", "input": {"command": copy}}]},
    });
    let (world, cli) = desk(&script.to_string()).await?;
    let data: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(cli.folder.join("data.bin"), &data)?;
    std::fs::write(cli.folder.join("é b.txt"), "text\n")?;

    // A slip in any name is found before anything is sent.
    cli.fails(
        &["file", "upload", "data.bin", "missing"],
        "cannot read missing",
    )?;
    cli.fails(&["file", "upload", "data.bin", "."], ". is a folder")?;
    cli.fails(&["file", "upload"], "PATHS")?;
    ensure!(cli.ok(&["file", "list"])?.is_empty());
    let printed = cli.ok(&[
        "file",
        "upload",
        "data.bin",
        "é b.txt",
        "--expires-in",
        "3600",
    ])?;
    let ids: Vec<&str> = printed.lines().collect();
    ensure!(
        ids.len() == 2 && ids.iter().all(|id| id.starts_with("file_")),
        "{printed}"
    );
    let shown: serde_json::Value = serde_json::from_str(&cli.ok(&["file", "show", ids[0]])?)?;
    ensure!(
        shown["size_bytes"] == data.len() && shown["filename"] == "data.bin",
        "{shown}"
    );
    ensure!(shown["expires_at"].is_string(), "{shown}");
    let listed = cli.ok(&["file", "list"])?;
    let lines: Vec<&str> = listed.lines().collect();
    ensure!(
        lines.len() == 2 && lines[0].contains(ids[1]),
        "newest first: {listed}"
    );
    ensure!(
        lines[0].ends_with("upload  é b.txt") && lines[1].contains("12.0 MB"),
        "{listed}"
    );
    cli.fails(
        &["file", "upload", "data.bin", "--expires-in", "1"],
        "expires_in_seconds",
    )?;

    // Into a session, with a memory store beside it, and out again.
    let store = cli.id(&["memory", "create", "notes"])?;
    cli.ok(&["memory", "put", &store, "a.md", "é b.txt"])?;
    let vault = cli.id(&["vault", "create", "keys"])?;
    let agent = json!({"name": "copier", "model": "claude-sonnet-4-6", "tools": [{"type": "agent_toolset_20260401"}]});
    let agent = world.client.post("/v1/agents", &agent).await?;
    let agent = agent["id"].as_str().context("no id")?;
    let create = ["session", "create", agent];
    for (flags, reason) in [
        (&["--file", "file_1:"][..], "expected a mount path"),
        (&["--file", NOTHING], "404"),
        (&["--memory", "memstore_1:write"], "expected :ro"),
        (&["--memory", NOTHING], "404"),
        (&["--vault", NOTHING], "404"),
        (&["--vault", "a/b"], "an id has letters"),
    ] {
        cli.fails(&[&create, flags].concat(), reason)?;
    }
    let (file, memory) = (format!("{}:in/data.bin", ids[0]), format!("{store}:ro"));
    let flags = ["--file", &file, "--memory", &memory, "--vault", &vault];
    let session = cli.id(&[&create[..], &flags].concat())?;
    let shown: serde_json::Value = serde_json::from_str(&cli.ok(&["session", "show", &session])?)?;
    ensure!(
        shown["resources"][0]["mount_path"] == "/mnt/session/uploads/in/data.bin",
        "{shown}"
    );
    ensure!(shown["resources"][1]["access"] == "read_only", "{shown}");
    ensure!(shown["vault_ids"] == json!([vault]), "{shown}");
    world.client.message(&session, "copy").await?;
    let events = world.client.until_idle(&session, "end_turn").await?;
    ensure!(
        json!(events).to_string().contains("text\\n"),
        "the memory was there"
    );
    let started = Instant::now();
    let made = loop {
        let files = cli.json(&["file", "list", "--session", &session])?;
        if let Some(file) = files.into_iter().find(|file| file["filename"] == "out.bin") {
            break file["id"].as_str().context("no id")?.to_owned();
        }
        ensure!(started.elapsed() < PATIENCE, "the output became no file");
    };

    let before = names(&cli.folder)?;
    cli.fails(
        &["file", "download", ids[0], "-o", "x"],
        "cannot be downloaded",
    )?;
    for command in ["show", "download", "delete"] {
        cli.fails(&["file", command, NOTHING], "404")?;
        cli.fails(&["file", command, "../agents"], "an id has letters")?;
    }
    cli.fails(
        &["file", "download", &made, "-o", "none/out"],
        "cannot write none/out",
    )?;
    ensure!(
        names(&cli.folder)? == before,
        "nothing is left of what failed"
    );
    ensure!(cli.ok(&["file", "download", &made])? == "out.bin  12.0 MB\n");
    let got = cli.folder.join("out.bin");
    ensure!(std::fs::read(&got)? == data);
    std::fs::write(&got, "mine")?;
    cli.fails(&["file", "download", &made], "--force replaces it")?;
    cli.fails(
        &["file", "download", &made, "-o", "out.bin"],
        "is there already",
    )?;
    ensure!(std::fs::read(&got)? == b"mine");
    cli.ok(&["file", "download", &made, "--force"])?;
    ensure!(std::fs::read(&got)? == data);
    let link = cli.folder.join("link");
    std::os::unix::fs::symlink("out.bin", &link)?;
    cli.fails(
        &["file", "download", &made, "-o", "link", "--force"],
        "is no regular file",
    )?;
    std::fs::remove_file(&link)?;
    let piped = cli.run(&["file", "download", &made, "-o", "-"])?;
    ensure!(piped.status == 0 && piped.stdout == data && piped.stderr.is_empty());
    std::fs::create_dir(cli.folder.join("into"))?;
    let saved = cli.json(&["file", "download", &made, "-o", "into"])?;
    ensure!(saved == [json!({"path": "into/out.bin", "size_bytes": data.len()})]);
    ensure!(std::fs::read(cli.folder.join("into/out.bin"))? == data);
    ensure!(
        names(&cli.folder)?.len() == before.len() + 2,
        "nothing else is left"
    );
    for id in [ids[0], &made] {
        ensure!(cli.ok(&["file", "delete", id])? == format!("deleted {id}\n"));
        cli.fails(&["file", "show", id], "404")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn skills_are_made_of_folders_and_archives() -> Result<()> {
    let (_world, cli) = desk(SILENT).await?;
    let folder = cli.folder.join("pdf");
    for inside in ["pdf/scripts", "pdf/.git", "empty", "no-skill", "links"] {
        std::fs::create_dir_all(cli.folder.join(inside))?;
    }
    std::fs::write(
        folder.join("SKILL.md"),
        "---\nname: pdf-tools\ndescription: Works with PDFs.\n---\nRead.\n",
    )?;
    let program = folder.join("scripts/count.sh");
    std::fs::write(&program, "#!/bin/sh\nwc -c\n")?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    std::fs::write(folder.join(".git/config"), "not for others")?;
    std::fs::write(cli.folder.join("no-skill/readme"), "x")?;
    std::os::unix::fs::symlink("/etc/passwd", cli.folder.join("links/SKILL.md"))?;
    std::fs::write(cli.folder.join("plain.txt"), "x")?;
    for (source, reason) in [
        ("missing", "cannot read missing"),
        ("empty", "empty is empty"),
        ("no-skill", "there is no \"no-skill/SKILL.md\""),
        ("links", "links/SKILL.md is no regular file"),
        ("plain.txt", "neither a folder nor a zip archive"),
    ] {
        cli.fails(&["skill", "create", source], reason)?;
    }
    ensure!(cli.ok(&["skill", "list"])?.is_empty());

    let skill = cli.id(&["skill", "create", "pdf", "--name", "PDF tools"])?;
    ensure!(
        cli.ok(&["skill", "list"])?
            .trim_end()
            .ends_with("PDF tools")
    );
    let saved = cli.json(&["skill", "download", &skill])?;
    ensure!(saved[0]["path"] == "pdf-tools.zip", "{saved:?}");
    cli.fails(&["skill", "download", &skill], "--force replaces it")?;
    let list = "import sys, zipfile\nfor i in zipfile.ZipFile(sys.argv[1]).infolist(): print(oct(i.external_attr >> 16), i.filename)";
    let listed = Command::new("python3")
        .args(["-c", list])
        .arg(cli.folder.join("pdf-tools.zip"))
        .output()?;
    let listed = String::from_utf8(listed.stdout)?;
    ensure!(
        listed == "0o100644 pdf-tools/SKILL.md\n0o100755 pdf-tools/scripts/count.sh\n",
        "{listed}"
    );

    // What came down goes up again.
    let second = cli.id(&["skill", "add-version", &skill, "pdf-tools.zip"])?;
    let versions = cli.json(&["skill", "versions", &skill])?;
    ensure!(
        versions.len() == 2 && versions[0]["id"] == second,
        "{versions:?}"
    );
    let shown: serde_json::Value = serde_json::from_str(&cli.ok(&["skill", "show", &skill])?)?;
    ensure!(
        shown["latest_version_id"] == second && shown["display_name"] == "PDF tools",
        "{shown}"
    );
    let first = versions[1]["id"].as_str().context("no id")?;
    cli.ok(&[
        "skill",
        "download",
        &skill,
        "--version",
        first,
        "-o",
        "first.zip",
    ])?;
    let bytes = |name: &str| std::fs::read(cli.folder.join(name));
    ensure!(bytes("first.zip")? == bytes("pdf-tools.zip")?);
    std::fs::write(
        folder.join("SKILL.md"),
        "---\nname: other\ndescription: d\n---\n",
    )?;
    cli.fails(
        &["skill", "add-version", &skill, "pdf"],
        "every version of this skill is named",
    )?;
    for command in [&["show"][..], &["versions"], &["download"], &["delete"]] {
        cli.fails(&[&["skill"], command, &[NOTHING]].concat(), "404")?;
    }
    ensure!(
        cli.ok(&["skill", "delete", &skill, "--version", first])? == format!("deleted {first}\n")
    );
    cli.fails(
        &["skill", "delete", &skill, "--version", &second],
        "only version",
    )?;
    ensure!(cli.ok(&["skill", "delete", &skill])? == format!("deleted {skill}\n"));
    cli.fails(&["skill", "show", &skill], "404")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_are_found_by_their_paths() -> Result<()> {
    let (_world, cli) = desk(SILENT).await?;
    let store = cli.id(&[
        "memory",
        "create",
        "build notes",
        "--description",
        "What we know",
    ])?;
    ensure!(
        cli.ok(&["memory", "list"])?
            .contains("build notes  What we know")
    );
    let put = |path: &str, content: &[u8]| -> Result<Ran> {
        cli.run_with(&["memory", "put", &store, path], content)
    };
    for (path, content) in [
        ("a/b 1.md", "one"),
        ("/a/c.md", "two"),
        ("top&x.md", "three\n"),
    ] {
        ensure!(put(path, content.as_bytes())?.status == 0, "{path}");
    }
    ensure!(cli.ok(&["memory", "cat", &store, "/a/b 1.md"])? == "one");
    ensure!(cli.ok(&["memory", "cat", &store, "top&x.md"])? == "three\n");
    let paths = |arguments: &[&str]| -> Result<Vec<String>> {
        let listed = cli.json(&[&["memory", "ls", &store], arguments].concat())?;
        let path =
            |entry: &serde_json::Value| entry["path"].as_str().unwrap_or_default().to_owned();
        Ok(listed.iter().map(path).collect())
    };
    ensure!(paths(&[])? == ["/a/", "/top&x.md"]);
    ensure!(paths(&["a"])? == ["/a/b 1.md", "/a/c.md"]);
    ensure!(paths(&["-r"])? == ["/a/b 1.md", "/a/c.md", "/top&x.md"]);
    ensure!(paths(&["/nothing/"])?.is_empty());
    ensure!(cli.ok(&["memory", "ls", &store])?.contains("6 B"));

    // Again is a new version; what was is still there, until it is wiped.
    std::fs::write(cli.folder.join("new.md"), "new one")?;
    cli.ok(&["memory", "put", &store, "/a/b 1.md", "new.md"])?;
    ensure!(cli.ok(&["memory", "cat", &store, "a/b 1.md"])? == "new one");
    let versions = cli.json(&["memory", "versions", &store, "a/b 1.md"])?;
    let operations: Vec<_> = versions.iter().map(|one| &one["operation"]).collect();
    ensure!(operations == ["modified", "created"], "{versions:?}");
    let [newest, oldest] = [0, 1].map(|at: usize| versions[at]["id"].as_str().unwrap_or_default());
    cli.fails(&["memory", "redact", &store, newest], "(400")?;
    ensure!(
        cli.ok(&["memory", "redact", &store, oldest])?
            .contains("(redacted)")
    );
    ensure!(cli.ok(&["memory", "versions", &store])?.lines().count() == 4);

    for (arguments, reason) in [
        (vec!["cat", &store, "/a"], "has no memory /a;"),
        (vec!["cat", &store, "/none"], "memory ls"),
        (vec!["rm", &store, "none"], "has no memory /none"),
        (vec!["versions", &store, "none"], "has no memory /none"),
        (vec!["redact", &store, NOTHING], "404"),
        (
            vec!["put", &store, "/x", "missing.md"],
            "cannot read missing.md",
        ),
        (vec!["put", &store, "/a", "new.md"], "(409"),
        (vec!["put", &store, "/x/../y", "new.md"], "(400"),
        (vec!["ls", NOTHING], "404"),
        (vec!["cat", NOTHING, "/x"], "404"),
        (vec!["show", NOTHING], "404"),
        (vec!["archive", NOTHING], "404"),
        (vec!["delete", NOTHING], "404"),
    ] {
        cli.fails(&[&["memory"], &arguments[..]].concat(), reason)?;
    }
    let refused = put("/large", &[b'x'; 102_401])?;
    ensure!(
        refused.status != 0 && refused.stderr.contains("more than 102400 bytes"),
        "{refused:?}"
    );
    ensure!(put("/largest", &[b'x'; 102_400])?.status == 0);
    let refused = put("/bytes", &[0xff])?;
    ensure!(
        refused.status != 0 && refused.stderr.contains("no UTF-8 text"),
        "{refused:?}"
    );

    ensure!(cli.ok(&["memory", "rm", &store, "a/c.md"])? == "deleted /a/c.md\n");
    cli.fails(&["memory", "cat", &store, "a/c.md"], "has no memory")?;
    let gone = cli.json(&["memory", "versions", &store, "a/c.md"])?;
    ensure!(
        gone.len() == 2 && gone[0]["operation"] == "deleted",
        "{gone:?}"
    );
    ensure!(
        cli.ok(&["memory", "archive", &store])?
            .contains("(archived)")
    );
    let refused = put("/late", b"x")?;
    ensure!(
        refused.status != 0 && refused.stderr.contains("archived"),
        "{refused:?}"
    );
    ensure!(cli.ok(&["memory", "list"])?.is_empty());
    ensure!(cli.ok(&["memory", "list", "--archived"])?.contains(&store));
    ensure!(cli.ok(&["memory", "delete", &store])? == format!("deleted {store}\n"));
    cli.fails(&["memory", "show", &store], "404")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_by_pipe_or_variable_and_are_never_shown() -> Result<()> {
    const SECRET: &str = "canary-8a1f-never-shown";
    let (_world, plain) = desk(SILENT).await?;
    let cli = plain.with_variable("MY_SECRET", SECRET);
    let vault = cli.id(&["vault", "create", "build machines"])?;
    let piped = format!("{SECRET}\n");
    let add = |flags: &[&str], stdin: &str| -> Result<Ran> {
        let ran = cli.run_with(
            &[&["vault", "credential", "add"], flags].concat(),
            stdin.as_bytes(),
        )?;
        ensure!(!ran.shows(SECRET), "{flags:?}: {ran:?}");
        Ok(ran)
    };
    let url = "https://mcp.example.com/mcp";
    let bearer = add(&[&vault, "--bearer", url, "--name", "example"], &piped)?;
    ensure!(
        bearer.status == 0 && bearer.text().contains(url),
        "{bearer:?}"
    );
    let variable = ["--env", "TOKEN", "--from-env", "MY_SECRET"];
    let hosts = ["--hosts", "api.example.com,*.example.org", "--json"];
    let limited = add(&[&[vault.as_str()], &variable[..], &hosts].concat(), "")?;
    let limited: serde_json::Value = serde_json::from_str(&limited.text())?;
    let allowed = json!({"type": "limited", "allowed_hosts": ["api.example.com", "*.example.org"]});
    ensure!(limited["auth"]["networking"] == allowed, "{limited}");
    let open = add(&[&vault, "--env", "OTHER", "--any-host"], &piped)?;
    ensure!(open.status == 0, "{open:?}");

    for (flags, stdin, reason) in [
        (
            vec![vault.as_str(), "--bearer", url],
            piped.as_str(),
            "(409",
        ),
        (vec![NOTHING, "--bearer", url], &piped, "404"),
        (
            vec![&vault, "--bearer", "nonsense"],
            &piped,
            "auth.mcp_server_url",
        ),
        (
            vec![&vault, "--env", "1X", "--any-host"],
            &piped,
            "auth.secret_name",
        ),
        (vec![&vault, "--env", "X"], &piped, "--hosts"),
        (
            vec![&vault, "--env", "X", "--hosts", "a b"],
            &piped,
            "allowed_hosts",
        ),
        (
            vec![&vault, "--bearer", url, "--env", "X"],
            &piped,
            "cannot be used with",
        ),
        (vec![&vault], &piped, "--bearer"),
        (vec![&vault, "--bearer", url], "\n", "the secret is empty"),
        (
            vec![&vault, "--bearer", url, "--from-env", "NOT_SET"],
            &piped,
            "NOT_SET is not set",
        ),
    ] {
        let refused = add(&flags, stdin)?;
        ensure!(
            refused.status != 0 && refused.stderr.contains(reason),
            "{flags:?}: {refused:?}"
        );
    }
    let listed = cli.json(&["vault", "credential", "list", &vault])?;
    ensure!(
        listed.len() == 3 && !json!(listed).to_string().contains(SECRET),
        "{listed:?}"
    );
    ensure!(
        cli.ok(&["vault", "credential", "list", &vault])?
            .contains("api.example.com,*.example.org")
    );
    let [other, token, server] =
        [0, 1, 2].map(|at: usize| listed[at]["id"].as_str().unwrap_or_default());
    ensure!(
        cli.ok(&["vault", "credential", "archive", &vault, other])?
            .contains("(archived)")
    );
    ensure!(cli.json(&["vault", "credential", "list", &vault])?.len() == 2);
    ensure!(
        cli.json(&["vault", "credential", "list", &vault, "--archived"])?
            .len()
            == 3
    );
    let gone = cli.ok(&["vault", "credential", "delete", &vault, token])?;
    ensure!(gone == format!("deleted {token}\n"));
    for (arguments, reason) in [
        (vec!["credential", "list", NOTHING], "404"),
        (vec!["credential", "archive", &vault, NOTHING], "404"),
        (vec!["credential", "delete", NOTHING, server], "404"),
        (
            vec!["credential", "delete", &vault, ".."],
            "an id has letters",
        ),
        (vec!["show", NOTHING], "404"),
        (vec!["archive", NOTHING], "404"),
        (vec!["delete", NOTHING], "404"),
    ] {
        cli.fails(&[&["vault"], &arguments[..]].concat(), reason)?;
    }
    ensure!(
        cli.ok(&["vault", "show", &vault])?
            .contains("build machines")
    );
    ensure!(
        cli.ok(&["vault", "archive", &vault])?
            .contains("build machines (archived)")
    );
    ensure!(cli.ok(&["vault", "list"])?.is_empty());
    ensure!(cli.ok(&["vault", "list", "--archived"])?.contains(&vault));
    ensure!(cli.ok(&["vault", "delete", &vault])? == format!("deleted {vault}\n"));
    cli.fails(&["vault", "show", &vault], "404")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_an_example_and_says_when_no_daemon_answers() -> Result<()> {
    let (mut world, cli) = desk(SILENT).await?;
    world.stop()?;
    std::fs::write(cli.folder.join("a"), "x")?;
    for (command, arguments) in [
        ("file upload", &["a"][..]),
        ("file list", &[]),
        ("file show", &["x"]),
        ("file download", &["x"]),
        ("file delete", &["x"]),
        ("skill create", &["."]),
        ("skill list", &[]),
        ("skill show", &["x"]),
        ("skill versions", &["x"]),
        ("skill add-version", &["x", "."]),
        ("skill download", &["x"]),
        ("skill delete", &["x"]),
        ("memory create", &["x"]),
        ("memory list", &[]),
        ("memory show", &["x"]),
        ("memory archive", &["x"]),
        ("memory delete", &["x"]),
        ("memory ls", &["x"]),
        ("memory cat", &["x", "/a"]),
        ("memory put", &["x", "/a", "a"]),
        ("memory rm", &["x", "/a"]),
        ("memory versions", &["x"]),
        ("memory redact", &["x", "x"]),
        ("vault create", &["x"]),
        ("vault list", &[]),
        ("vault show", &["x"]),
        ("vault archive", &["x"]),
        ("vault delete", &["x"]),
        (
            "vault credential add",
            &["x", "--bearer", "https://a.example", "--from-env", "PATH"],
        ),
        ("vault credential list", &["x"]),
        ("vault credential archive", &["x", "x"]),
        ("vault credential delete", &["x", "x"]),
        ("session create", &["x", "--environment", "x"]),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let help = cli.ok(&[&words[..], &["--help"]].concat())?;
        ensure!(
            help.contains(&format!("sinew {command}")),
            "{command}: {help}"
        );
        ensure!(help.contains("Example"), "{command}: {help}");
        cli.fails(
            &[&words[..], arguments].concat(),
            "start one with \"sinew serve\"",
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_a_command_quietly() -> Result<()> {
    let world = World::start(PROGRAM, SILENT).await?;
    world.client.new_session("claude-sonnet-4-6").await?;
    let mut child = Command::new(PROGRAM)
        .args(["agent", "list", "--json"])
        .env("SINEW_URL", &world.client.url)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    // Gone before anything is written: the command has to ask the daemon first.
    drop(child.stdout.take());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await??;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}
