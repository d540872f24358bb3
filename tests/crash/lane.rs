//! Daemons of one data folder, one after the other: each serves the sessions until it dies, and what it left is
//! checked before the next one starts.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use sinew_tests::cli::Cli;
use sinew_tests::daemon::NeverListened;
use sinew_tests::log_rules;
use sinew_tests::world::World;

use crate::PROGRAM;
use crate::plan::{Death, Plan};
use crate::session::Session;
use crate::stored::Stored;
use crate::workload::{Plot, script};

/// Longest wait for the end of a daemon whose client lost it.
const END_PATIENCE: Duration = Duration::from_secs(10);
/// What the end of a process by SIGKILL is.
const KILLED: i32 = 9;
/// The variable that arms a point.
const ARMS: &str = "SINEW_CRASH_AT";

/// Garbage is collected several times in a daemon's life, and contents move into packs when there are a few.
const CONFIGURATION: &str = "collection: {period_ms: 250, grace_ms: 300, row_bytes_max: 300000}";

/// How a life ended.
enum End {
    /// The sessions came to their end first.
    Finished,
    /// The daemon died by itself: at its point.
    Died,
    /// It was killed.
    Killed,
}

/// Lets daemons die as the plan says, in one data folder after the other.
pub async fn run(plan: &Plan, plots: &[Plot]) -> Result<()> {
    // What was missed in one folder is planned again.
    while let Some(death) = plan.next() {
        one_folder(plan, plots, death).await?;
    }
    Ok(())
}

/// Works through one workload.
async fn one_folder(plan: &Plan, plots: &[Plot], first: Death) -> Result<()> {
    let mut world = World::start_with(PROGRAM, &script(plots), CONFIGURATION).await?;
    let mut sessions = Vec::new();
    for plot in plots {
        sessions.push(Session::new(&world.client, plot).await?);
    }
    // The first daemon has no point, since it had to listen before there was any session.
    let mut death = Some(plan.instant());
    let mut following = Some(first);
    loop {
        match live(&mut world, &sessions, death.as_ref()).await? {
            End::Finished => break,
            end => {
                let death = death.take().context("it was not to die")?;
                plan.note(death, matches!(end, End::Died))?;
            }
        }
        check_left(&world, &mut sessions).await?;
        loop {
            death = following.take().or_else(|| plan.next());
            if start(&mut world, death.as_ref())? {
                break;
            }
            let dead = death.take().context("it was not to die")?;
            plan.note(dead, true)?;
            check_left(&world, &mut sessions).await?;
        }
    }
    for death in death.into_iter().chain(following) {
        plan.take_back(death)?;
    }
    for session in &sessions {
        session.check_end(&world.client).await?;
    }
    ensure!(world.stop()?.success(), "the last daemon does not stop");
    for session in &sessions {
        session.check_disk(&world)?;
        log_rules::check_stored(&world.options.data, &session.id).await?;
    }
    check_left(&world, &mut sessions).await?;
    let folder = world.folder();
    let cli = Cli::new(PROGRAM, "", &folder);
    let data = world.options.data.to_str().context("no UTF-8")?;
    cli.ok(&["doctor", "--verify", "--data", data])?;
    Ok(())
}

/// Starts the next daemon, and tells whether it lived long enough to listen.
fn start(world: &mut World, death: Option<&Death>) -> Result<bool> {
    let armed = death.and_then(Death::armed);
    world.options.variables = armed
        .iter()
        .map(|armed| (ARMS.to_owned(), armed.clone()))
        .collect();
    let started = world.restart();
    match started {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast_ref::<NeverListened>() {
            Some(NeverListened(status)) if armed.is_some() => {
                check_end_of_process(*status)?;
                Ok(false)
            }
            _ => Err(error),
        },
    }
}

/// Drives the sessions until their end, or the daemon's.
async fn live(world: &mut World, sessions: &[Session<'_>], death: Option<&Death>) -> Result<End> {
    let (end, end_of_lost) = (world.daemon()?.end(), world.daemon()?.end());
    let client = world.client.clone();
    let work = try_join_all(sessions.iter().map(|session| session.drive(&client)));
    let too_long = async {
        match death {
            // The instant of the kill, not a wait for something.
            Some(death) => tokio::time::sleep(Duration::from_millis(death.life_ms_max())).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = work => match done {
            Ok(_) => return Ok(End::Finished),
            Err(error) => {
                let is_lost = tokio::time::timeout(END_PATIENCE, end_of_lost).await;
                // What breaks the contract is no consequence of a death.
                if is_lost.is_err() || format!("{error:#}").contains("contract") {
                    return Err(error);
                }
            }
        },
        () = end => {}
        () = too_long => {
            world.kill()?;
            return Ok(End::Killed);
        }
    }
    check_end_of_process(world.wait()?)?;
    Ok(End::Died)
}

/// A daemon that ends in any other way than by its point has failed.
fn check_end_of_process(status: ExitStatus) -> Result<()> {
    ensure!(
        status.signal() == Some(KILLED),
        "a daemon ended with {status} where none was to"
    );
    Ok(())
}

async fn check_left(world: &World, sessions: &mut [Session<'_>]) -> Result<()> {
    check_processes(&world.options.data)?;
    let stored = Stored::copy(&world.options.data)?;
    for session in sessions {
        session.check_left(&stored).await?;
    }
    Ok(())
}

/// Nothing that a dead daemon started lives on.
fn check_processes(data: &Path) -> Result<()> {
    let data = data.to_str().context("no UTF-8")?;
    for entry in std::fs::read_dir("/proc")? {
        let folder = entry?.path();
        // Those that end meanwhile, and threads of the kernel, have no command.
        let command = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(data) {
            bail!("{} lives on: {command}", folder.display());
        }
    }
    Ok(())
}
