//! The processes of a simulation, what befalls them, and the store as whoever looks on sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sinew::clock::{Clock, Timestamp};
use sinew::store::{Memory, SqliteStore};

use crate::chance::{Chance, Roughness};
use crate::clock::SimClock;
use crate::hands::Disk;
use crate::power::{Power, Steady, Weather};
use crate::process::{Process, Shared};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest stop of a process: past its leases.
const STOP_MAX: Duration = Duration::from_secs(200);
/// Longest time for which a process is down, or the disk full.
const DOWN_MAX: Duration = Duration::from_secs(90);

pub struct World {
    pub clock: Arc<SimClock>,
    pub weather: Arc<Weather>,
    /// The store without a disk's trouble.
    pub store: SqliteStore,
    memory: Memory,
    shared: Shared,
    /// Each on a machine of its own.
    machines: Vec<Machine>,
    sessions: Mutex<Vec<String>>,
}

struct Machine {
    name: String,
    disk: Disk,
    process: Mutex<Arc<Process>>,
}

impl World {
    pub fn new(
        clock: Arc<SimClock>,
        roughness: Roughness,
        shared: Shared,
        chance: &mut Chance,
    ) -> Result<Arc<Self>> {
        let memory = Memory::new()?;
        let weather = Arc::new(Weather::new(roughness));
        let mut machines = Vec::new();
        for number in 0..roughness.processes {
            let (name, disk) = (format!("daemon {number}"), Disk::default());
            let power = Power::new(clock.clone(), weather.clone(), chance.split());
            let process = Process::start(&memory, &shared, power, disk.clone(), &name);
            machines.push(Machine {
                name,
                disk,
                process: Mutex::new(process),
            });
        }
        Ok(Arc::new(Self {
            clock,
            weather,
            store: memory.store(Arc::new(Steady)),
            memory,
            shared,
            machines,
            sessions: Mutex::default(),
        }))
    }

    /// Notes a session, so that it is woken for nothing at times.
    pub fn note(&self, session: &str) {
        lock(&self.sessions).push(session.to_owned());
    }

    fn process(&self, number: usize) -> Arc<Process> {
        lock(&self.machines[number].process).clone()
    }

    /// Sends a request to one of the processes; none if no answer comes.
    pub async fn call(
        &self,
        chance: &mut Chance,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let process = self.process(chance.below(self.machines.len()));
        tokio::select! {
            biased;
            answer = process.call(method, path, body) => Some(answer),
            () = self.clock.sleep(PATIENCE) => None,
        }
    }

    /// Sends a request until it succeeds, however often that takes.
    pub async fn insist(
        &self,
        chance: &mut Chance,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        for _ in 0..500 {
            match self.call(chance, method, path, body).await {
                Some((200, answer)) => return Ok(answer),
                Some((status, answer)) if status < 500 => {
                    bail!("{method} {path}: {status} {answer}")
                }
                _ => self.clock.sleep(Duration::from_secs(1)).await,
            }
        }
        bail!("{method} {path} never succeeds")
    }

    /// Makes a session of an agent whose calls need a person's word, or not.
    pub async fn new_session(&self, chance: &mut Chance) -> Result<String> {
        let policy = chance.of(&["always_allow", "always_allow", "always_ask"]);
        let tools = json!([
            {"type": "agent_toolset_20260401",
             "default_config": {"permission_policy": {"type": policy}}},
            {"type": "custom", "name": crate::model::CUSTOM_TOOL, "description": "d",
             "input_schema": {"type": "object"}},
        ]);
        let mut agent = json!({"name": "a", "model": "claude-sonnet-4-6", "tools": tools});
        // It starts others of its kind, and asks for advice.
        if chance.happens(0.4) {
            let team = json!([{"type": "self"}, {"type": "advisor", "model": "claude-opus-4-8"}]);
            agent["multiagent"] = json!({"type": "coordinator", "agents": team});
        }
        let is_coordinator = agent["multiagent"].is_object();
        // It is supervised.
        if chance.happens(0.3) {
            let rules = [
                json!({"plan": {"type": "required", "approval": "person"}}),
                json!({"questions": 1, "plan": "required"}),
                json!({"validation": {"retries": 1}}),
                json!({"confidence": {"threshold": 0.5}, "validation": {}}),
                json!({"confidence": {
                    "threshold": 0.5,
                    "below": {"type": "advisor", "model": "claude-opus-4-8"},
                }}),
            ];
            agent["sinew"] = rules[chance.below(rules.len())].clone();
        }
        // Those that it starts start others.
        if is_coordinator && chance.happens(0.5) {
            agent["sinew"]["delegation"] = json!({
                "depth": 2 + chance.below(2),
                "breadth": 1 + chance.below(3),
                "agents": 2 + chance.below(5),
                "seconds": 60 + chance.below(5_000),
            });
        }
        let agent = self
            .insist(chance, "POST", "/v1/agents", Some(&agent))
            .await?;
        // Whether a try succeeded is not always told, and names are taken once.
        let name = format!("e{}", chance.below(1 << 30));
        let mut tries = 0;
        let environment = loop {
            let body = json!({"name": format!("{name}-{tries}")});
            match self
                .call(chance, "POST", "/v1/environments", Some(&body))
                .await
            {
                Some((200, environment)) => break environment,
                _ if tries < 500 => tries += 1,
                other => bail!("no environment can be made: {other:?}"),
            }
            self.clock.sleep(Duration::from_secs(1)).await;
        };
        let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
        let session = self
            .insist(chance, "POST", "/v1/sessions", Some(&body))
            .await?;
        let id = session["id"].as_str().context("no id")?.to_owned();
        self.note(&id);
        Ok(id)
    }

    /// Deals blows until an instant.
    pub async fn deal_blows(self: Arc<Self>, mut chance: Chance, ends: Timestamp) {
        let mean = self.weather.roughness.blows;
        loop {
            let (now, wait) = (self.clock.now(), chance.wait(mean * 4));
            if now.checked_add(wait).is_ok_and(|then| then >= ends) {
                return;
            }
            self.clock.sleep(wait).await;
            let machine = chance.below(self.machines.len());
            let now = self.clock.now();
            let until = |wait: Duration| now.checked_add(wait).unwrap_or(now);
            match chance.below(6) {
                0 | 1 => self.kill(machine, &mut chance),
                2 => self
                    .process(machine)
                    .power
                    .stop(until(chance.wait(STOP_MAX))),
                3 => self.weather.fill(until(chance.wait(DOWN_MAX))),
                _ => {
                    let sessions = lock(&self.sessions).clone();
                    for session in &sessions {
                        self.process(chance.below(self.machines.len()))
                            .wake(session);
                    }
                }
            }
        }
    }

    /// Kills a machine's process, and starts another one after a while.
    fn kill(self: &Arc<Self>, number: usize, chance: &mut Chance) {
        let process = self.process(number);
        if process.power.is_dead() {
            return;
        }
        process.power.cut();
        let (world, down, chance) = (self.clone(), chance.wait(DOWN_MAX), chance.split());
        tokio::spawn(async move {
            world.clock.sleep(down).await;
            let machine = &world.machines[number];
            let power = Power::new(world.clock.clone(), world.weather.clone(), chance);
            let disk = machine.disk.clone();
            let next = Process::start(&world.memory, &world.shared, power, disk, &machine.name);
            *lock(&machine.process) = next;
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
