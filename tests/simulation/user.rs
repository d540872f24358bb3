//! A client of one session: it says things, interrupts, answers, goes back, makes forks, and remembers what it
//! was told.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sinew::clock::{Clock, Timestamp};
use sinew::ids::SessionId;
use sinew::session::PROJECTION_PRIVATE;
use sinew::store::{Resource, Store, StoredEvent};
use sinew_tests::log_rules::read_all;

use crate::chance::Chance;
use crate::check;
use crate::world::World;

/// Longest pause between two things that a client does.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a session may take to its end, once nothing goes wrong any more.
const END_PATIENCE: Duration = Duration::from_secs(4 * 3600);
/// Longer than anything takes that goes on in a process.
const REST: Duration = Duration::from_secs(600);
/// How deep forks of forks go.
const DEPTH_MAX: usize = 1;

/// What a client knows of its session.
pub struct User {
    world: Arc<World>,
    chance: Chance,
    pub session: String,
    /// Texts that the server said it has, and their events.
    pub told: Vec<(String, String)>,
    /// Texts whose request had no answer, or a failure.
    pub untold: Vec<String>,
    /// Texts that were refused.
    pub refused: Vec<String>,
    said: usize,
    depth: usize,
    forks: Vec<User>,
}

/// What is known of an event that was sent.
enum Sent {
    /// It is in the log; the answer says so.
    Kept(Value),
    /// It is not.
    Refused,
    /// There was no answer, or a failure.
    Unknown,
}

impl User {
    pub fn new(world: Arc<World>, chance: Chance, session: String) -> Self {
        Self {
            world,
            chance,
            session,
            told: Vec::new(),
            untold: Vec::new(),
            refused: Vec::new(),
            said: 0,
            depth: 0,
            forks: Vec::new(),
        }
    }

    /// Uses the session until the weather is calm, brings it to its end, and refuses what is wrong with it then.
    pub fn run(mut self, ends: Timestamp) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            while self.world.clock.now() < ends {
                self.act().await?;
                let pause = self.chance.wait(PAUSE);
                self.world.clock.sleep(pause).await;
            }
            self.finish().await?;
            let wire = self.list().await?;
            check::session(&self.world.store, &self, &wire)
                .await
                .with_context(|| format!("session {}", self.session))?;
            for fork in self.forks {
                fork.run(ends).await?;
            }
            Ok(())
        })
    }

    async fn act(&mut self) -> Result<()> {
        let row = self.row().await?;
        match self.chance.below(20) {
            0..7 => self.say().await,
            7 => self.wish().await,
            8..10 => self.send(json!({"type": "user.interrupt"})).await.map(drop),
            10..16 => self.answer(&row).await,
            16..18 => self.go_back(&row).await,
            18 => self.fork().await,
            _ => {
                let path = format!("/v1/sessions/{}/events?limit=5", self.session);
                self.call("GET", &path, None).await;
                Ok(())
            }
        }
    }

    async fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        self.world.call(&mut self.chance, method, path, body).await
    }

    async fn row(&self) -> Result<Resource> {
        let id = SessionId::from_text(self.session.as_str());
        Ok(self.world.store.session(&id).await?)
    }

    async fn say(&mut self) -> Result<()> {
        self.said += 1;
        let text = format!("{} {}", self.session, self.said);
        let content = json!([{"type": "text", "text": text}]);
        let sent = self.send(json!({"type": "user.message", "content": content}));
        match sent.await? {
            Sent::Kept(answer) => {
                let id = answer["data"][0]["id"].as_str().context("no id")?;
                self.told.push((text, id.to_owned()));
            }
            Sent::Refused => self.refused.push(text),
            Sent::Unknown => self.untold.push(text),
        }
        Ok(())
    }

    /// Defines an outcome, which may be refused.
    async fn wish(&mut self) -> Result<()> {
        let outcome = json!({
            "type": "user.define_outcome",
            "description": "Something good.",
            "rubric": {"type": "text", "content": "It is good."},
            "max_iterations": 2,
        });
        self.send(outcome).await.map(drop)
    }

    async fn send(&mut self, event: Value) -> Result<Sent> {
        let path = format!("/v1/sessions/{}/events", self.session);
        let body = json!({"events": [event]});
        match self.call("POST", &path, Some(&body)).await {
            Some((200, answer)) => Ok(Sent::Kept(answer)),
            // What it answers may be answered by now, or gone back behind; what it says may have to wait for answers.
            Some((400, _)) => Ok(Sent::Refused),
            None | Some((409 | 500.., _)) => Ok(Sent::Unknown),
            Some((status, answer)) => bail!("{body}: {status} {answer}"),
        }
    }

    /// Answers what a session waits for, if it does.
    async fn answer(&mut self, row: &Resource) -> Result<()> {
        let events = self.stored().await?;
        for id in waits_for(row) {
            let call = events.iter().find(|event| event.id.as_str() == id);
            let kind = call.map(|call| call.kind.as_str()).unwrap_or_default();
            let answer = match kind {
                "agent.custom_tool_use" => json!({
                    "type": "user.custom_tool_result",
                    "custom_tool_use_id": id,
                    "content": [{"type": "text", "text": "found"}],
                }),
                "agent.tool_use" => json!({
                    "type": "user.tool_confirmation",
                    "tool_use_id": id,
                    "result": self.chance.of(&["allow", "allow", "deny"]),
                }),
                other => bail!("the session waits for {id}, a {other:?}"),
            };
            self.send(answer).await?;
        }
        Ok(())
    }

    async fn go_back(&mut self, row: &Resource) -> Result<()> {
        if row.status.as_deref() != Some("idle") {
            return Ok(());
        }
        let events = self.stored().await?;
        let ends: Vec<&StoredEvent> = events
            .iter()
            .filter(|event| event.kind == "session.status_idle")
            .filter(|event| event.body["stop_reason"]["type"] == "end_turn")
            .collect();
        if ends.is_empty() {
            return Ok(());
        }
        let to = ends[self.chance.below(ends.len())];
        // Making a tree without files is work for a real thread, which no simulation can wait for.
        let id = SessionId::from_text(self.session.as_str());
        let files = self.world.store.files().files_at(&id, to.number).await?;
        if files.is_none() {
            return Ok(());
        }
        let to = to.id.as_str();
        let path = format!("/sinew/v1/sessions/{}/rewind", self.session);
        match self
            .call("POST", &path, Some(&json!({"event_id": to})))
            .await
        {
            // It may be at work by now.
            None | Some((200 | 400 | 409 | 500.., _)) => Ok(()),
            Some((status, answer)) => bail!("rewind: {status} {answer}"),
        }
    }

    async fn fork(&mut self) -> Result<()> {
        let events = self.stored().await?;
        if self.depth >= DEPTH_MAX || events.is_empty() {
            return Ok(());
        }
        let at = events[self.chance.below(events.len())]
            .id
            .as_str()
            .to_owned();
        let path = format!("/sinew/v1/sessions/{}/fork", self.session);
        match self
            .call("POST", &path, Some(&json!({"event_id": at})))
            .await
        {
            Some((200, fork)) => {
                let id = fork["id"].as_str().context("no id")?.to_owned();
                self.world.note(&id);
                let mut user = User::new(self.world.clone(), self.chance.split(), id);
                user.depth = self.depth + 1;
                self.forks.push(user);
                Ok(())
            }
            None | Some((500.., _)) => Ok(()),
            Some((status, answer)) => bail!("fork: {status} {answer}"),
        }
    }

    /// Brings the session to rest.
    async fn finish(&mut self) -> Result<()> {
        let begun = self.world.clock.now();
        // Number of the last event when it was at rest before.
        let mut rested = None;
        loop {
            let row = self.row().await?;
            let events = self.stored().await?;
            let is_queued = events.iter().any(|event| event.position.is_none());
            let waits = !waits_for(&row).is_empty();
            if self.world.weather.is_calm() {
                let needs_wake = row.body[PROJECTION_PRIVATE]["needs_wake"] == true;
                let is_at_rest = row.status.as_deref() == Some("idle") && !waits && !needs_wake;
                // What a fork has of another's queue, and what was gone back behind, stays there.
                if is_at_rest && (!is_queued || self.is_settled(&row).await?) {
                    let last = row.body[PROJECTION_PRIVATE]["last"].as_u64();
                    if rested == Some(last) {
                        return Ok(());
                    }
                    // A slow process may still be at a request whose client gave up long ago.
                    rested = Some(last);
                    self.world.clock.sleep(REST).await;
                    continue;
                }
                if waits {
                    self.answer(&row).await?;
                }
            }
            let waited = self.world.clock.now().duration_since(begun);
            if Duration::try_from(waited).unwrap_or_default() > END_PATIENCE {
                let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
                bail!(
                    "session {} is stuck: {:?} {kinds:?}",
                    self.session,
                    row.status
                );
            }
            self.world.clock.sleep(Duration::from_secs(5)).await;
        }
    }

    /// Tells whether no driver has anything to do.
    async fn is_settled(&self, row: &Resource) -> Result<bool> {
        let now = self.world.clock.now().checked_add(END_PATIENCE)?;
        let waiting = self.world.store.sessions_to_wake(now, 1_000).await?;
        Ok(waiting.iter().all(|id| id.as_str() != row.key.id))
    }

    async fn stored(&self) -> Result<Vec<StoredEvent>> {
        let id = SessionId::from_text(self.session.as_str());
        Ok(read_all(&self.world.store, &id).await?)
    }

    /// Returns the events as the API lists them.
    async fn list(&mut self) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut page = String::new();
        loop {
            let path = format!("/v1/sessions/{}/events?limit=500{page}", self.session);
            let world = self.world.clone();
            let answer = world.insist(&mut self.chance, "GET", &path, None).await?;
            events.extend(answer["data"].as_array().cloned().unwrap_or_default());
            match answer["next_page"].as_str() {
                Some(next) => page = format!("&page={next}"),
                None => return Ok(events),
            }
        }
    }
}

/// Returns the ids of the events that an idle session waits for an answer to.
fn waits_for(row: &Resource) -> Vec<String> {
    if row.status.as_deref() != Some("idle") {
        return Vec::new();
    }
    let ids = row.body[PROJECTION_PRIVATE]["stop_reason"]["event_ids"].as_array();
    ids.into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}
