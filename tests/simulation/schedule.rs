//! A deployment that runs every minute, whichever process is there to run it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew::clock::{Clock, Timestamp};

use crate::chance::Chance;
use crate::user::User;
use crate::world::World;

/// How long a process that begins its minute late may still be at it.
const SLACK: Duration = Duration::from_secs(120);

pub struct Schedule {
    world: Arc<World>,
    chance: Chance,
    id: String,
    made_at: Timestamp,
}

impl Schedule {
    /// Makes the deployment, of a session's agent and environment.
    pub async fn new(world: Arc<World>, mut chance: Chance, session: &str) -> Result<Self> {
        let path = format!("/v1/sessions/{session}");
        let session = world.insist(&mut chance, "GET", &path, None).await?;
        let content = json!([{"type": "text", "text": "Begin."}]);
        let body = json!({
            "name": "each minute",
            "agent": session["agent"]["id"],
            "environment_id": session["environment_id"],
            "initial_events": [{"type": "user.message", "content": content}],
            "schedule": {"type": "cron", "expression": "* * * * *", "timezone": "UTC"},
        });
        let made_at = world.clock.now();
        let made = world.insist(&mut chance, "POST", "/v1/deployments", Some(&body));
        let id = made.await?["id"].as_str().context("no id")?.to_owned();
        Ok(Self {
            world,
            chance,
            id,
            made_at,
        })
    }

    /// Ends the schedule once the weather is calm, and refuses runs that are missing or doubled, and their
    /// sessions if they break a rule.
    pub async fn finish(mut self) -> Result<()> {
        let pause = format!("/v1/deployments/{}/pause", self.id);
        let world = self.world.clone();
        // A full minute at least in which nothing goes wrong.
        world.clock.sleep(SLACK).await;
        world
            .insist(&mut self.chance, "POST", &pause, Some(&Value::Null))
            .await?;
        let paused_at = world.clock.now();
        world.clock.sleep(SLACK).await;
        let path = format!("/v1/deployment_runs?deployment_id={}&limit=100", self.id);
        let runs = world.insist(&mut self.chance, "GET", &path, None).await?;
        let runs = runs["data"].as_array().context("no list")?;
        let mut times = BTreeSet::new();
        for run in runs {
            let at: Timestamp = run["trigger_context"]["scheduled_at"]
                .as_str()
                .context("no time")?
                .parse()?;
            ensure!(times.insert(at), "two runs at {at}");
            ensure!(
                self.made_at < at && at <= paused_at,
                "a run at {at}, which was not asked for"
            );
            ensure!(at.as_second() % 60 == 0, "a run at {at}, no full minute");
            let Some(session) = run["session_id"].as_str() else {
                continue;
            };
            let (world, chance) = (self.world.clone(), self.chance.split());
            let user = User::new(world, chance, session.to_owned());
            user.run(Timestamp::MIN).await?;
        }
        // The newest time that was missed is made up for, so a process that is up for a while has run it.
        let minutes = paused_at.as_second() / 60 - self.made_at.as_second() / 60;
        ensure!(
            minutes < 3 || !times.is_empty(),
            "no run in {minutes} minutes"
        );
        if world.weather.roughness.is_gentle() {
            ensure!(
                times.len() as i64 == minutes,
                "{times:?}, and not each of {minutes} minutes"
            );
        }
        Ok(())
    }
}
