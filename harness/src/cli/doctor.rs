//! `sinew doctor`: checks the installation, and says for each problem what to do.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::ConfigArgs;
use super::verify::verify;
use crate::config::Config;
use crate::daemon::load_tools;
use crate::data_dir::{DataDir, DataDirError, database};
use crate::store::{SqliteOptions, SqliteStore, Store};

/// Free space below which a warning is given, in bytes.
const FREE_BYTES_MIN: u64 = 1 << 30;

#[derive(Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Read every stored content and check it, and that all files of all sessions can be reached, instead.
    /// Changes nothing; no daemon may have the data folder meanwhile
    #[arg(long)]
    verify: bool,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warning,
    Problem,
}

struct Finding {
    check: &'static str,
    verdict: Verdict,
    text: String,
}

pub(super) async fn doctor(args: DoctorArgs) -> Result<ExitCode> {
    if args.verify {
        return verify(&args.config.config()?, args.json).await;
    }
    let mut findings = Vec::new();
    match args.config.config() {
        Ok(config) => {
            findings.push(ok("configuration", "readable".to_owned()));
            findings.push(data_folder(&config));
            findings.push(free_space(&config));
            findings.push(database_file(&config).await);
            findings.push(kernel());
            findings.push(tools(&config).await);
            findings.push(provider(&config));
        }
        Err(error) => findings.push(problem("configuration", format!("{error:#}"))),
    }
    let has_problem = findings.iter().any(|f| f.verdict == Verdict::Problem);
    for finding in &findings {
        let word = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        if args.json {
            let line = json!({"check": finding.check, "verdict": word.to_lowercase(), "text": finding.text});
            say!("{line}");
        } else {
            say!("{word:<8} {:<14} {}", finding.check, finding.text);
        }
    }
    Ok(if has_problem {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn ok(check: &'static str, text: String) -> Finding {
    Finding {
        check,
        verdict: Verdict::Ok,
        text,
    }
}

fn warning(check: &'static str, text: String) -> Finding {
    Finding {
        check,
        verdict: Verdict::Warning,
        text,
    }
}

fn problem(check: &'static str, text: String) -> Finding {
    Finding {
        check,
        verdict: Verdict::Problem,
        text,
    }
}

fn data_folder(config: &Config) -> Finding {
    const CHECK: &str = "data folder";
    match DataDir::lock(&config.data) {
        Ok(_) => ok(
            CHECK,
            format!("{} is usable and free", config.data.display()),
        ),
        Err(DataDirError::Held { holder, .. }) => ok(CHECK, format!("held by {holder}")),
        Err(error) => problem(CHECK, format!("{error}; choose another with --data")),
    }
}

fn free_space(config: &Config) -> Finding {
    const CHECK: &str = "free space";
    match rustix::fs::statvfs(&config.data) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let text = format!("{} MiB", free >> 20);
            if free < FREE_BYTES_MIN {
                warning(CHECK, format!("{text}; sessions stop when none is left"))
            } else {
                ok(CHECK, text)
            }
        }
        Err(error) => warning(CHECK, format!("cannot be told: {error}")),
    }
}

async fn database_file(config: &Config) -> Finding {
    const CHECK: &str = "database";
    let path = database(&config.data);
    if !path.exists() {
        return ok(CHECK, "not made yet".to_owned());
    }
    let store = match SqliteStore::open(SqliteOptions::new(path)) {
        Ok(store) => store,
        Err(error) => return problem(CHECK, error.to_string()),
    };
    let now = crate::clock::Timestamp::now();
    match store.sessions_to_wake(now, 1).await {
        Ok(_) => ok(CHECK, "opens and answers".to_owned()),
        Err(error) => problem(CHECK, error.to_string()),
    }
}

fn kernel() -> Finding {
    const CHECK: &str = "kernel";
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::DIRECTORY;
    match openat2(CWD, ".", flags, Mode::empty(), ResolveFlags::BENEATH) {
        Ok(_) => ok(
            CHECK,
            "resolves paths beneath a folder (openat2)".to_owned(),
        ),
        Err(error) => problem(
            CHECK,
            format!(
                "openat2 fails ({error}): Linux 5.6 or newer is needed, and a container that allows it"
            ),
        ),
    }
}

async fn tools(config: &Config) -> Finding {
    const CHECK: &str = "tools";
    match load_tools(config, &config.data, &mut super::progress()).await {
        Ok(built_in) => {
            let names: Vec<&str> = built_in
                .components
                .iter()
                .flat_map(|component| component.tools().tools.iter())
                .map(|tool| tool.name.as_str())
                .collect();
            let programs = built_in.programs.names().count();
            ok(
                CHECK,
                format!(
                    "compiled and loaded: {}; bash and {programs} programs",
                    names.join(", ")
                ),
            )
        }
        Err(error) => problem(CHECK, error.to_string()),
    }
}

fn provider(config: &Config) -> Finding {
    const CHECK: &str = "model";
    if let Err(error) = crate::daemon::router(config, crate::daemon::catalog(config)) {
        return problem(CHECK, error.to_string());
    }
    if !config.providers.is_empty() {
        return ok(
            CHECK,
            format!("{} providers configured", config.providers.len()),
        );
    }
    if std::env::var_os("ANTHROPIC_API_KEY").is_some() {
        ok(CHECK, "ANTHROPIC_API_KEY is set".to_owned())
    } else {
        warning(
            CHECK,
            "no key: set ANTHROPIC_API_KEY, or configure providers (an OpenAI-compatible one may need \
             none); \"sinew demo\" needs neither"
                .to_owned(),
        )
    }
}
