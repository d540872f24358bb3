//! Schedules on a clock that is moved by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::api::tests::Server;
use crate::api::tests::deployments::template;

const MINUTE: Duration = Duration::from_secs(60);

/// A server with one deployment that runs at every full hour, and its scheduler.
struct World {
    server: Server,
    path: String,
}

impl World {
    async fn new(expression: &str) -> Self {
        let server = Server::open();
        let mut body = template(&server).await;
        body["schedule"] = json!({"type": "cron", "expression": expression, "timezone": "UTC"});
        let made = server.made("/v1/deployments", body).await;
        Self {
            path: format!("/v1/deployments/{}", made["id"].as_str().unwrap()),
            server,
        }
    }

    /// A daemon's scheduler, as it is after a start.
    fn scheduler(&self) -> Scheduler {
        self.scheduler_with(SchedulerOptions {
            delay_max: Duration::ZERO,
            ..SchedulerOptions::default()
        })
    }

    fn scheduler_with(&self, options: SchedulerOptions) -> Scheduler {
        Scheduler::new(self.server.deployments.clone(), options)
    }

    /// Moves the clock to a time of the first day.
    fn at(&self, clock: &str) {
        let to: Timestamp = format!("2027-01-15T{clock}Z").parse().unwrap();
        let by = to.duration_since(self.server.clock.now());
        self.server.clock.advance(by.try_into().unwrap());
    }

    async fn runs(&self) -> Vec<Value> {
        self.server.get("/v1/deployment_runs").await.body["data"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The times that were run, newest first, as hours and minutes.
    async fn times(&self) -> Vec<String> {
        let time = |run: &Value| {
            let at = run["trigger_context"]["scheduled_at"].as_str().unwrap();
            at[11..16].to_owned()
        };
        self.runs().await.iter().map(time).collect()
    }

    async fn deployment(&self) -> Value {
        self.server.get(&self.path).await.body
    }
}

/// What a daemon does when it looks at its deployments and serves what is due.
async fn step(scheduler: &mut Scheduler) -> Option<Timestamp> {
    scheduler.look().await.unwrap();
    scheduler.serve().await
}

fn at(clock: &str) -> Option<Timestamp> {
    Some(format!("2027-01-15T{clock}Z").parse().unwrap())
}

#[tokio::test]
async fn each_time_makes_one_run_and_one_session() {
    let world = World::new("0 * * * *").await;
    let mut scheduler = world.scheduler();
    assert_eq!(step(&mut scheduler).await, at("09:00:00"));
    assert!(world.runs().await.is_empty());
    world.at("09:00:00");
    assert_eq!(step(&mut scheduler).await, at("10:00:00"));
    // Nor does another scheduler, or the same one again, run it twice.
    step(&mut scheduler).await;
    step(&mut world.scheduler()).await;
    assert_eq!(world.times().await, ["09:00"]);
    world.at("10:00:30");
    step(&mut world.scheduler()).await;
    assert_eq!(world.times().await, ["10:00", "09:00"]);
    let runs = world.runs().await;
    assert_eq!(runs[0]["trigger_context"]["type"], "schedule");
    assert_eq!(
        world.server.get("/v1/sessions").await.column("id"),
        [runs[0]["session_id"].clone(), runs[1]["session_id"].clone()]
    );
    let deployment = world.deployment().await;
    assert_eq!(
        deployment["schedule"]["last_run_at"],
        "2027-01-15T10:00:00.000000Z"
    );
    assert_eq!(
        deployment["schedule"]["upcoming_runs_at"][0],
        "2027-01-15T11:00:00.000000Z"
    );
}

#[tokio::test]
async fn two_schedulers_at_once_run_a_time_once() {
    let world = World::new("0 * * * *").await;
    let (mut one, mut other) = (world.scheduler(), world.scheduler());
    one.look().await.unwrap();
    other.look().await.unwrap();
    world.at("09:00:00");
    tokio::join!(one.serve(), other.serve());
    assert_eq!(world.times().await, ["09:00"]);
    assert_eq!(world.server.get("/v1/sessions").await.column("id").len(), 1);
}

#[tokio::test]
async fn after_downtime_only_the_newest_time_is_made_up_for() {
    let world = World::new("*/10 * * * *").await;
    world.at("08:59:59");
    step(&mut world.scheduler()).await;
    assert_eq!(world.times().await, ["08:50"], "not the four before it");
    let rare = World::new("0 * * * *").await;
    rare.at("09:59:59");
    step(&mut rare.scheduler()).await;
    assert_eq!(rare.times().await, ["09:00"], "just within an hour");
    let old = World::new("0 9 * * *").await;
    old.at("10:00:01");
    let next = step(&mut old.scheduler()).await;
    assert!(old.times().await.is_empty(), "older than an hour");
    assert_eq!(next, Some("2027-01-16T09:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_pause_skips_its_times() {
    let world = World::new("*/10 * * * *").await;
    let mut scheduler = world.scheduler();
    step(&mut scheduler).await;
    let pause = format!("{}/pause", world.path);
    world.server.made(&pause, Value::Null).await;
    world.at("08:35:00");
    // It was known before the pause: the row is looked at again before the run.
    scheduler.serve().await;
    assert_eq!(step(&mut scheduler).await, None);
    let unpause = format!("{}/unpause", world.path);
    world.server.made(&unpause, Value::Null).await;
    assert_eq!(step(&mut scheduler).await, at("08:40:00"));
    assert!(world.runs().await.is_empty());
    world.at("08:40:00");
    step(&mut scheduler).await;
    assert_eq!(world.times().await, ["08:40"]);
}

#[tokio::test]
async fn a_new_schedule_counts_from_its_change_on() {
    let world = World::new("0 9 * * *").await;
    let mut scheduler = world.scheduler();
    step(&mut scheduler).await;
    world.at("08:59:00");
    let schedule = |expression: &str| json!({"schedule": {"type": "cron", "expression": expression, "timezone": "UTC"}});
    world
        .server
        .made(&world.path, schedule("30 8,9 * * *"))
        .await;
    world.at("09:10:00");
    assert_eq!(step(&mut scheduler).await, at("09:30:00"));
    assert!(world.runs().await.is_empty(), "neither 9:00 nor 8:30");
    world
        .server
        .made(&world.path, json!({"schedule": null}))
        .await;
    world.at("09:30:00");
    assert_eq!(step(&mut scheduler).await, None);
    assert!(world.runs().await.is_empty());
}

#[tokio::test]
async fn a_lasting_error_pauses_once_and_for_all() {
    let world = World::new("* * * * *").await;
    let environment = world.deployment().await["environment_id"].clone();
    let archive = format!("/v1/environments/{}/archive", environment.as_str().unwrap());
    world.server.made(&archive, Value::Null).await;
    let mut scheduler = world.scheduler();
    for _ in 0..3 {
        world.server.clock.advance(MINUTE);
        step(&mut scheduler).await;
    }
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["error"]["type"], "environment_archived_error");
    let deployment = world.deployment().await;
    assert_eq!(deployment["status"], "paused");
    assert_eq!(
        deployment["paused_reason"]["error"]["type"],
        "environment_archived_error"
    );
}

#[tokio::test]
async fn starts_are_spread_and_a_restart_does_not_move_them() {
    let world = World::new("0 * * * *").await;
    let options = SchedulerOptions::default();
    let next = step(&mut world.scheduler_with(options)).await.unwrap();
    let delay = next.duration_since(at("09:00:00").unwrap());
    assert!(!delay.is_negative() && delay.as_secs() <= 540, "{delay}");
    world.at("09:00:00");
    assert_eq!(step(&mut world.scheduler_with(options)).await, Some(next));
    if delay.is_positive() {
        assert!(world.runs().await.is_empty());
    }
    let left = next.duration_since(world.server.clock.now());
    world
        .server
        .clock
        .advance(left.max(jiff::SignedDuration::ZERO).try_into().unwrap());
    step(&mut world.scheduler_with(options)).await;
    assert_eq!(world.times().await, ["09:00"]);
}

#[tokio::test]
async fn a_running_scheduler_hears_of_changes_and_waits_for_times() {
    let world = World::new("0 * * * *").await;
    let stopping = CancellationToken::new();
    let mut growth = world.server.store.subscribe();
    let running = tokio::spawn(world.scheduler().run(stopping.clone()));
    let new = json!({"schedule": {"type": "cron", "expression": "5 8 * * *", "timezone": "UTC"}});
    world.server.made(&world.path, new).await;
    world.at("08:05:00");
    // Whether it waits for the time already or does not yet, it looks at the clock again.
    world.server.deployments.changed.notify_one();
    tokio::time::timeout(MINUTE, growth.recv())
        .await
        .unwrap()
        .unwrap();
    stopping.cancel();
    running.await.unwrap();
    assert_eq!(world.times().await, ["08:05"]);
}
